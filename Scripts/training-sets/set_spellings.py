"""spellings: words as people misspell them; identity = the word meant. Many small identities.

codespell's dictionary: some 62,000 misspellings that were found in real texts. Words that differ by
an ending (accept, accepted, acceptable) are identities of their own.
"""

from pathlib import Path

import codespell_lib
import numpy

import common


def make(output, cache):
    path = Path(codespell_lib.__file__).parent / "data" / "dictionary.txt"
    forms = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        misspelling, meant = line.split("->")
        # Of several corrections nobody knows which was meant.
        if "," not in meant:
            forms.setdefault(meant.strip(), {meant.strip()}).add(misspelling)
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for word, known in sorted(forms.items()):
        # Larger ones more often: else most identities are pairs.
        if random.random() < 0.06 * len(known):
            texts += sorted(known)
            identities += [word] * len(known)
    identities = numpy.array(identities)
    features, train, test = common.text_features(
        texts, identities, 512, 192, analyzer="char_wb", ngram_range=(1, 3))
    common.write(
        output, "spellings", features, identities, train, test,
        source=common.version("codespell"),
        licence="dictionary: CC BY-SA 3.0; program: GPL-2.0-only",
        made="TF-IDF of character 1- to 3-grams, SVD, LDA fitted on 30 % of the words, in neither "
        "split")


common.run(make)
