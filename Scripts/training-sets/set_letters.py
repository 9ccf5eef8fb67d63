"""letters: 20,000 distorted images of capital letters, 16 numbers each. Few large identities.

UCI's Letter Recognition (Slate 1991), as mlbench carries it; 13 letters train, 13 test.
"""

import warnings

import numpy
import rdata

import common


def make(output, cache):
    directory = common.debian_files(["r-cran-mlbench"], cache)["r-cran-mlbench"]
    path = directory / "usr/lib/R/site-library/mlbench/data/LetterRecognition.rda"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The file names no encoding; it is ASCII.
        table = rdata.read_rda(path)["LetterRecognition"]
    identities = table["lettr"].astype(str).to_numpy()
    features = table.drop(columns="lettr").to_numpy(dtype=numpy.float32)
    train, test = common.split(identities, [0.5, 0.5])
    features = (features - features[train].mean(axis=0)) / features[train].std(axis=0)
    common.write(
        output, "letters", features, identities, train, test,
        source=common.debian_version(directory) + ", LetterRecognition",
        licence="CC BY 4.0 (UCI Machine Learning Repository, D. J. Slate), GPL-2 (mlbench)",
        made="16 moments and counts of an image, standardised on the train split")


common.run(make)
