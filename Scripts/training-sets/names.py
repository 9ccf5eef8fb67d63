"""names and languages: what places, languages and currencies are called, from CLDR by way of Babel.

names: identity = the thing (Wien, Vienna, Bécs, ...), one point per distinct romanised name.
languages: identity = the language, a point = some names in it. Few large identities.
"""

import anyascii
import numpy
from babel import Locale, localedata

import common

SOURCE = "Unicode CLDR"
BAG = 8  # names per point of languages
LICENCE = "Unicode-3.0 (CLDR), BSD-3-Clause (Babel)"


def names_of(locale):
    """Romanised names in one language, by (kind, code)."""
    found = {}
    for kind, names in (
        ("territory", locale.territories), ("language", locale.languages),
        ("currency", locale.currencies)):
        found.update({(kind, code): name for code, name in names.items()})
    found.update({
        ("city", zone): names["city"] for zone, names in locale.time_zones.items()
        if "city" in names})
    romanised = {key: anyascii.anyascii(str(name)).lower().strip() for key, name in found.items()}
    # A code in place of a name says nothing.
    return {key: name for key, name in romanised.items()
            if len(name) > 3 and name != key[1].lower()}


def all_names():
    codes = sorted(code for code in localedata.locale_identifiers() if "_" not in code)
    codes = [code for code in codes if code not in ("root", "no")]  # no is nb.
    by_language = {code: names_of(Locale.parse(code)) for code in codes}
    return {code: names for code, names in by_language.items() if len(names) >= 700}


def make_names(output, by_language):
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
    other, train, test = common.split(identities, [0.3, 0.35, 0.35])
    features = common.embed_texts(
        texts, numpy.concatenate([other, train]), 256, analyzer="char_wb", ngram_range=(1, 3))
    features = common.discriminant(features, identities, other, 64)
    train, test = (common.keep_nonzero(features, part) for part in (train, test))
    common.write(
        output, "names", features, identities, train, test,
        source=f"{SOURCE} in {common.version('babel')}; {common.version('anyascii')}",
        licence=LICENCE,
        made="names of places, languages and currencies in some 110 languages, romanised; TF-IDF of "
        "character 1- to 3-grams, SVD, LDA fitted on 30 % of the identities, in neither split")


def make_languages(output, by_language):
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for code, names in by_language.items():
        known = random.permutation(sorted(set(names.values())))
        most = int(numpy.exp(random.uniform(numpy.log(50), numpy.log(300))))
        for start in range(0, min(most * BAG, len(known) - BAG), BAG):
            texts.append(" ".join(known[start:start + BAG]))
            identities.append(code)
    identities = numpy.array(identities)
    other, train, test = common.split(identities, [0.3, 0.35, 0.35])
    features = common.embed_texts(
        texts, numpy.concatenate([other, train]), 256, analyzer="char_wb", ngram_range=(1, 3))
    features = common.discriminant(features, identities, other, 32)
    common.write(
        output, "languages", features, identities, train, test,
        source=f"{SOURCE} in {common.version('babel')}; {common.version('anyascii')}",
        licence=LICENCE,
        made=f"a point is {BAG} names of places, languages or currencies in one language, romanised; "
        "TF-IDF of character 1- to 3-grams, SVD, LDA fitted on 30 % of the languages, in neither "
        "split")


def make(output, cache):
    by_language = all_names()
    make_names(output, by_language)
    make_languages(output, by_language)
