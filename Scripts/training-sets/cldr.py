"""What places, languages and currencies are called in many languages, from CLDR by way of Babel."""

import anyascii
from babel import Locale, localedata

import common

SOURCE = f"Unicode CLDR in {common.version('babel')}; {common.version('anyascii')}"
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


def names_by_language():
    """The names in every language for which CLDR has 700 or more, by the language's code."""
    codes = sorted(code for code in localedata.locale_identifiers() if "_" not in code)
    codes = [code for code in codes if code not in ("root", "no")]  # no is nb.
    by_language = {code: names_of(Locale.parse(code)) for code in codes}
    return {code: names for code, names in by_language.items() if len(names) >= 700}
