"""What the makers of training sets share: splitting identities, embedding texts, writing a set."""

import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path

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


def keep_nonzero(features, indices):
    """Those indices whose rows have a direction: a text of unknown n-grams alone has none."""
    return indices[numpy.linalg.norm(features[indices], axis=1) > 1e-6]


def version(package):
    return f"{package} {metadata.version(package)} (PyPI)"


def debian_release():
    release = platform.freedesktop_os_release()
    return f"{release['NAME']} {release.get('VERSION_ID', 'testing')}"


def debian_files(packages, cache):
    """Unpacks Debian packages below `cache`, without installing them; directories by package."""
    directories = {}
    for package in packages:
        directory = Path(cache) / "debian" / package
        if not directory.exists():
            downloads = Path(cache) / "downloads"
            downloads.mkdir(parents=True, exist_ok=True)
            for old in downloads.glob(f"{package}_*.deb"):
                old.unlink()
            subprocess.run(["apt-get", "download", "-q", package], cwd=downloads, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            archive = next(downloads.glob(f"{package}_*.deb"))
            unfinished = directory.with_suffix(".unfinished")
            unfinished.parent.mkdir(exist_ok=True)
            subprocess.run(["dpkg-deb", "--extract", archive, unfinished], check=True)
            unfinished.rename(directory)
            (directory / "VERSION").write_text(archive.name.split("_")[1].replace("%3a", ":"))
        directories[package] = directory
    return directories


def debian_version(directory):
    return f"{directory.name} {(directory / 'VERSION').read_text()} ({debian_release()})"


def purity(features, labels, count=10, most=4000):
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
    """Writes OUTPUT/NAME: features and labels of both splits, and CARD.json."""
    directory = Path(output) / name
    directory.mkdir(parents=True, exist_ok=True)
    identities = numpy.asarray(identities)
    assert not set(identities[train]) & set(identities[test])
    for part, indices in (("train", train), ("test", test)):
        indices = numpy.random.default_rng(SEED).permutation(indices)
        rows = unit(features[indices].astype(numpy.float32))
        _, labels, sizes = numpy.unique(
            identities[indices], return_inverse=True, return_counts=True)
        numpy.save(directory / f"features_{part}.npy", rows.astype(numpy.float16))
        numpy.save(directory / f"labels_{part}.npy", labels.astype(numpy.int64))
        card[part] = {
            "points": len(rows), "dimensions": rows.shape[1], "identities": len(sizes),
            "sizes 0 25 50 75 90 100 %": [
                int(size) for size in numpy.percentile(sizes, [0, 25, 50, 75, 90, 100])],
            "singletons": int((sizes == 1).sum()),
            "purity@10": round(purity(rows, labels), 3)}
    (directory / "CARD.json").write_text(json.dumps({"name": name, **card}, indent=1) + "\n")
    print(name, json.dumps({part: card[part] for part in ("train", "test")}), flush=True)
