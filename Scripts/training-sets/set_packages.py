"""packages: Debian's binary packages without their names; identity = the source package.

A long tail of sizes and many near duplicates: a point is what the package index says of a package's
dependencies, section, tags and purpose. Dependencies on packages of the same source are left out.
"""

import re
import subprocess

import numpy

import common

FIELDS = ("Package", "Source", "Depends", "Recommends", "Section", "Tag", "Description")
LARGEST = 300


def index():
    """The fields of every package that apt knows, by its name."""
    packages = {}
    text = subprocess.run(
        ["apt-cache", "dumpavail"], check=True, capture_output=True, text=True).stdout
    for stanza in text.split("\n\n"):
        found = dict(re.findall(r"^([A-Za-z-]+): (.*(?:\n .*)*)", stanza, re.MULTILINE))
        if "Package" in found:
            packages.setdefault(found["Package"], {key: found.get(key, "") for key in FIELDS})
    return dict(sorted(packages.items()))


def source_of(package):
    return package["Source"].split(" ")[0] or package["Package"]


def make(output, cache):
    packages = index()
    if len(packages) < 10000:
        raise SystemExit(
            f"error: apt-cache knows {len(packages)} packages, a Debian release has tens of "
            "thousands. Are the package lists there? apt-get update fetches them.")
    by_source = {}
    for name, package in packages.items():
        by_source.setdefault(source_of(package), []).append(name)
    random = numpy.random.default_rng(common.SEED)
    texts, identities = [], []
    for source, names in sorted(by_source.items()):
        # Larger ones more often: else most identities are singletons.
        if random.random() > 0.03 * len(names):
            continue
        for name in random.permutation(names)[:LARGEST]:
            package = packages[name]
            depends = set(re.findall(
                r"(?:^|[,|]) *([a-z0-9.+-]+)", f"{package['Depends']}, {package['Recommends']}"))
            words = [f"needs:{other}" for other in sorted(depends - set(names))]
            words += [f"section:{package['Section']}"] + re.findall(r"[\w:-]+", package["Tag"])
            words += re.findall(r"[a-z0-9]+", package["Description"].lower())
            texts.append(" ".join(words))
            identities.append(source)
    identities = numpy.array(identities)
    other, train, test = common.split(identities, [0.3, 0.35, 0.35])
    features = common.embed_texts(
        texts, numpy.concatenate([other, train]), 96, token_pattern=r"\S+")
    kept = numpy.linalg.norm(features, axis=1) > 1e-6  # The others have no word that occurs twice.
    train, test = train[kept[train]], test[kept[test]]
    common.write(
        output, "packages", features, identities, train, test,
        source=f"package index of {common.debian_release()}, {len(packages)} packages",
        licence="free licences of the packages (Debian Free Software Guidelines)",
        made="TF-IDF of dependencies, section, tags and words of the description, SVD of sources "
        "that are not in the test split")


common.run(make)
