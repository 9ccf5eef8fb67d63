"""How well each partition of FINCH agrees with the truth: pairwise F / BCubed F @ clusters.

    python finch_levels.py FEATURES.npy LABELS.npy [FEATURES.npy LABELS.npy ...]

FINCH (Sarfraz et al. 2019) ends by itself, but says of none of its partitions that it is the one. Needs
numpy and finch-clust.
"""

import sys

import numpy as np


def scores(truth, predicted):
    """Pairwise F and BCubed F."""
    count = len(truth)
    _, truth = np.unique(truth, return_inverse=True)
    _, predicted = np.unique(predicted, return_inverse=True)
    width = predicted.max() + 1
    cells, cell_sizes = np.unique(truth.astype(np.int64) * width + predicted, return_counts=True)
    true_sizes = np.bincount(truth)[cells // width].astype(float)
    sizes = np.bincount(predicted)[cells % width].astype(float)
    squares = cell_sizes.astype(float) ** 2
    both = squares.sum() - count
    together = (np.bincount(predicted).astype(float) ** 2).sum() - count
    alike = (np.bincount(truth).astype(float) ** 2).sum() - count

    def harmonic(precision, recall):
        return 2 * precision * recall / max(precision + recall, 1e-12)

    return (
        harmonic(both / max(together, 1), both / max(alike, 1)),
        harmonic((squares / sizes).sum() / count, (squares / true_sizes).sum() / count),
    )


def main():
    if len(sys.argv) < 3 or len(sys.argv) % 2 == 0:
        sys.exit(__doc__)
    from finch import FINCH

    for features, labels in zip(sys.argv[1::2], sys.argv[2::2]):
        rows = np.load(features).astype(np.float32)
        truth = np.load(labels)
        partitions, counts, _ = FINCH(rows, distance="cosine", verbose=False)
        levels = []
        for level, clusters in enumerate(counts):
            pairwise, bcubed = scores(truth, partitions[:, level])
            levels.append(f"{pairwise:.3f}/{bcubed:.3f}@{clusters}")
        print(features, *levels, flush=True)


if __name__ == "__main__":
    main()
