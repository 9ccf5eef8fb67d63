"""languages: a point is some names of places, languages and currencies in one language; identity =
the language. Few large identities, some of them close relatives.
"""

import numpy

import cldr
import common

BAG = 8  # names per point


def make(output, cache):
    by_language = cldr.names_by_language()
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for code, names in by_language.items():
        known = random.permutation(sorted(set(names.values())))
        most = int(numpy.exp(random.uniform(numpy.log(50), numpy.log(300))))
        for start in range(0, min(most * BAG, len(known) - BAG), BAG):
            texts.append(" ".join(known[start:start + BAG]))
            identities.append(code)
    identities = numpy.array(identities)
    features, train, test = common.text_features(
        texts, identities, 256, 32, analyzer="char_wb", ngram_range=(1, 3))
    common.write(
        output, "languages", features, identities, train, test,
        source=cldr.SOURCE, licence=cldr.LICENCE,
        made=f"a point is {BAG} names of places, languages or currencies in one language, "
        "romanised; TF-IDF of character 1- to 3-grams, SVD, LDA fitted on 30 % of the languages, "
        "in neither split")


common.run(make)
