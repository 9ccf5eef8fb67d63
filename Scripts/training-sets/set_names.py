"""names: what things are called (Wien, Vienna, Bécs, ...); identity = the thing. A heavy tail.

Places, languages and currencies in many languages; one point per distinct romanised name.
"""

import numpy

import cldr
import common


def make(output, cache):
    by_language = cldr.names_by_language()
    forms = {}
    for names in by_language.values():
        for key, name in names.items():
            forms.setdefault("/".join(key), set()).add(name)
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for key, known in sorted(forms.items()):
        # Sizes over two decades.
        most = int(numpy.exp(random.uniform(0, numpy.log(100))))
        chosen = random.permutation(sorted(known))[:most]
        texts += list(chosen)
        identities += [key] * len(chosen)
    identities = numpy.array(identities)
    features, train, test = common.text_features(
        texts, identities, 256, 64, analyzer="char_wb", ngram_range=(1, 3))
    common.write(
        output, "names", features, identities, train, test,
        source=cldr.SOURCE, licence=cldr.LICENCE,
        made=f"names of places, languages and currencies in {len(by_language)} languages, "
        "romanised; TF-IDF of character 1- to 3-grams, SVD, LDA fitted on 30 % of the identities, "
        "in neither split")


common.run(make)
