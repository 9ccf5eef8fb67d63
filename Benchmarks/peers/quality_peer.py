"""One method clusters one set, in a process of its own: the peer of Benchmarks/compare-quality.

    python quality_peer.py METHOD DIRECTORY tune [--seed S] [--every N]
    python quality_peer.py METHOD DIRECTORY label-free [--seed S] [--every N]
    python quality_peer.py METHOD DIRECTORY given --parameters JSON [--seed S] [--every N]

tune tries all settings on the train split and prints the one with the highest mean of pairwise and BCubed F.
label-free clusters the test split as the method comes; where a method leaves a parameter to its user it takes the setting
whose clusters have the highest mean silhouette. given clusters the test split with one setting. Each prints one JSON object:
parameters, F, clusters, processor seconds, peak memory. Rows are brought to length 1, noise is clusters of one point, of
every N rows the first is taken. Needs the packages of requirements-quality.txt.
"""

import argparse
import json
import sys
import tempfile
import time
import warnings
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array

import benchmarking as bench
import fces

DISTANCES = [round(0.9 * 0.9**i, 6) for i in range(50)]
SILHOUETTE_POINTS = 10_000


def settings(**values):
    """Every combination."""
    return [dict(zip(values, chosen)) for chosen in product(*values.values())]


class Method:
    """A method and some unit rows. What several settings share is computed once."""

    settings = []  # those to choose from
    own = None  # the one it comes with; None: its user must choose

    def __init__(self, rows, seed):
        self.rows = rows
        self.seed = seed


class Components(Method):
    """Components of the edges to the nearest 80 others below a cosine distance (SciPy)."""

    settings = settings(distance=DISTANCES)

    @cached_property
    def lists(self):
        return fces.nearest(self.rows, 81)

    def labels(self, distance):
        from scipy.sparse.csgraph import connected_components

        similarities, neighbors = self.lists
        row, place = np.nonzero(1 - similarities < distance)
        count = len(self.rows)
        graph = coo_array((np.ones(len(row)), (row, neighbors[row, place])), shape=(count, count))
        return connected_components(graph, directed=False)[1]


class AverageLinkage(Method):
    """Average linkage of all pairs by cosine distance (SciPy)."""

    settings = settings(distance=DISTANCES)

    @cached_property
    def tree(self):
        from scipy.cluster.hierarchy import average
        from scipy.spatial.distance import pdist

        distances = pdist(self.rows, "sqeuclidean")
        distances /= 2
        return average(distances)

    def labels(self, distance):
        from scipy.cluster.hierarchy import fcluster

        return fcluster(self.tree, distance, criterion="distance")


class HDBSCAN(Method):
    """HDBSCAN* (hdbscan), by Euclidean distance of unit rows, with the exact spanning tree."""

    settings = settings(
        min_samples=[1, 5, 10], min_cluster_size=[2, 3, 5, 10, 15, 20, 30, 40, 60], cluster_selection_method=["eom", "leaf"])
    own = {}

    def __init__(self, rows, seed):
        super().__init__(rows.astype(np.float64), seed)
        self.scratch = tempfile.TemporaryDirectory()

    def labels(self, **setting):
        from hdbscan import HDBSCAN

        # The single linkage of one min_samples serves all sizes: it is kept in a file.
        memory = self.scratch.name if setting else None
        shared = {"memory": memory} if memory else {}
        return HDBSCAN(approx_min_span_tree=False, core_dist_n_jobs=1, **shared, **setting).fit_predict(self.rows)


class PLSCAN(Method):
    """PLSCAN (fast-plscan), by Euclidean distance of unit rows: leaves of HDBSCAN* at the size that persists most."""

    settings = settings(
        min_samples=[2, 5, 10],
        size=["size", "distance", "density", "size-distance", "size-density", 3, 5, 10, 15, 20, 30, 40, 60])
    own = {"min_samples": 5, "size": "size"}

    def __init__(self, rows, seed):
        super().__init__(rows, seed)
        self.fitted = {}  # by min_samples

    def labels(self, min_samples, size):
        """Of the least size of a cluster that is given, or that a measure of persistence finds."""
        from fast_plscan import PLSCAN

        if min_samples not in self.fitted:
            self.fitted[min_samples] = PLSCAN(min_samples=min_samples, num_threads=1).fit(self.rows)
        fitted = self.fitted[min_samples]
        if size == fitted.persistence_measure:
            return fitted.labels_
        if isinstance(size, str):
            tree = fitted.minimum_spanning_tree_, len(self.rows)
            return PLSCAN(
                min_samples=min_samples, metric="precomputed", persistence_measure=size, num_threads=1).fit(tree).labels_
        labels, _ = fitted.min_cluster_size_cut(max(size, min_samples))
        return labels


class FINCH(Method):
    """FINCH (finch-clust), by cosine distance; above 20,000 points with its approximate search (pynndescent)."""

    settings = settings(partition=[1, 2, 3, 4, 5, 6, 7, 8])

    @cached_property
    def partitions(self):
        from finch import FINCH

        return FINCH(self.rows, distance="cosine", verbose=False, random_state=self.seed)[0]

    def labels(self, partition):
        """The last partition where there are fewer."""
        return self.partitions[:, min(partition, self.partitions.shape[1]) - 1]


class EVoC(Method):
    """EVoC (evoc): a density clustering of an embedding of the neighbour graph, in layers."""

    settings = settings(
        n_neighbors=[10, 15, 30, 60], base_min_cluster_size=[3, 5, 10, 20], noise_level=[0.0, 0.5],
        layer=["own", 0, 1, 2, 3, 4, 5])
    own = {"layer": "own"}

    def __init__(self, rows, seed):
        super().__init__(rows, seed)
        self.fitted = (None, None)

    def labels(self, layer, **setting):
        """A layer, the finest 0, the last where there are fewer; or the one it takes itself."""
        from evoc import EVoC

        if self.fitted[0] != setting:
            self.fitted = (setting, EVoC(random_state=self.seed, **setting).fit(self.rows))
        fitted = self.fitted[1]
        layers = fitted.cluster_layers_
        return fitted.labels_ if layer == "own" else layers[min(layer, len(layers) - 1)]


class FCES(Method):
    """FC-ES, restated (fces.py), with Infomap (infomap)."""

    settings = settings(k=fces.LENGTHS, theta=[fces.THETA, 0.3, 0.4])

    def __init__(self, rows, seed):
        super().__init__(rows, seed)
        self.weighed = (None, None)

    @cached_property
    def lists(self):
        return fces.nearest(self.rows, max(fces.LENGTHS))

    def labels(self, k, theta):
        similarities, neighbors = (values[:, :k] for values in self.lists)
        if self.weighed[0] != k:
            self.weighed = (k, fces.weights(similarities, neighbors))
        return fces.modules(neighbors, self.weighed[1], theta, self.seed)

    @property
    def label_free(self):
        """θ is published, k is not."""
        return [setting for setting in self.settings if setting["theta"] == fces.THETA]


METHODS = {
    "fc-es": FCES, "evoc": EVoC, "plscan": PLSCAN, "hdbscan": HDBSCAN, "finch": FINCH, "average-linkage": AverageLinkage,
    "components": Components}


def with_singles(labels):
    """Labels 0, 1, 2, …, a cluster of its own for every point of noise (-1); and how many these are."""
    labels = np.array(labels, dtype=np.int64)
    noise = labels < 0
    labels[noise] = labels.max(initial=0) + 1 + np.arange(noise.sum())
    return np.unique(labels, return_inverse=True)[1], int(noise.sum())


def silhouette(rows, labels):
    """The mean simplified silhouette of unit rows: own cluster against the nearest other centroid.

        (a − b) / max(1 − a, 1 − b)

    a is the mean similarity to the other points of the cluster, b the largest mean similarity to the points of another one; 0
    for a point that is alone, and if there is one cluster. Of many points some are looked at, evenly spaced.
    """
    count = labels.max() + 1
    if count == 1:
        return 0.0
    sizes = np.bincount(labels).astype(np.float32)
    member = csr_array((np.ones(len(rows), dtype=np.float32), (labels, np.arange(len(rows)))), shape=(count, len(rows)))
    sums = member @ rows
    means = sums / sizes[:, None]
    looked_at = np.unique(np.linspace(0, len(rows) - 1, SILHOUETTE_POINTS).astype(int)) if (
        len(rows) > SILHOUETTE_POINTS) else np.arange(len(rows))
    looked_at = looked_at[sizes[labels[looked_at]] > 1]
    total, considered = 0.0, min(len(rows), SILHOUETTE_POINTS)
    for start in range(0, len(looked_at), fces.BLOCK):
        points = looked_at[start : start + fces.BLOCK]
        own = labels[points]
        others = rows[points] @ means.T
        others[np.arange(len(points)), own] = -np.inf
        a = (np.einsum("ij,ij->i", rows[points], sums[own]) - 1) / (sizes[own] - 1)
        b = others.max(axis=1)
        total += float(np.sum((a - b) / np.maximum(np.maximum(1 - a, 1 - b), 1e-12)))
    return total / considered


def agreement(truth, labels):
    from finch_levels import scores

    labels, noise = with_singles(labels)
    pairwise, bcubed = scores(truth, labels)
    return {"pairwise": float(pairwise), "bcubed": float(bcubed), "clusters": int(labels.max()) + 1, "noise": noise}


def split(directory, name, every):
    rows = np.load(directory / f"features_{name}.npy")[::every].astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows, np.load(directory / f"labels_{name}.npy").ravel()[::every]


def warm_up(method):
    """Compiles what is compiled at the first call, on a few points."""
    rows = np.random.default_rng(0).normal(size=(600, 16)).astype(np.float32)
    rows[:300, 0] += 8
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    method(rows, 0).labels(**(method.own if method.own is not None else method.settings[0]))


def tuned(method, directory, options):
    rows, truth = split(directory, "train", options.every)
    model = method(rows, options.seed)
    trials = [(setting, agreement(truth, model.labels(**setting))) for setting in method.settings]
    setting, found = max(trials, key=lambda trial: trial[1]["pairwise"] + trial[1]["bcubed"])
    return {"parameters": setting, "tried": len(trials), "pairwise": found["pairwise"], "bcubed": found["bcubed"]}


def without_labels(model):
    """The labels of the method's own setting, or of the one with the highest silhouette."""
    if model.own is not None:
        return model.own, model.labels(**model.own)
    best = None
    for setting in getattr(model, "label_free", model.settings):
        labels = model.labels(**setting)
        score = silhouette(model.rows, with_singles(labels)[0])
        if best is None or score > best[0]:
            best = score, setting, labels
    return best[1:]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("directory", type=Path)
    parser.add_argument("what", choices=["tune", "label-free", "given"])
    parser.add_argument("--parameters", type=json.loads, default={})
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=1)
    return parser.parse_args()


def main():
    options = arguments()
    warnings.simplefilter("ignore")
    method = METHODS[options.method]
    warm_up(method)
    start_bytes = bench.own_peak_bytes()
    if options.what == "tune":
        start = time.process_time()
        found = tuned(method, options.directory, options)
        found["cpuSeconds"] = round(time.process_time() - start, 3)
    else:
        rows, truth = split(options.directory, "test", options.every)
        start = time.process_time()
        model = method(rows, options.seed)
        if options.what == "given":
            setting, labels = options.parameters, model.labels(**options.parameters)
        else:
            setting, labels = without_labels(model)
        seconds = time.process_time() - start
        found = {
            "points": len(rows), "parameters": setting, **agreement(truth, labels), "trueClusters": len(np.unique(truth)),
            "cpuSeconds": round(seconds, 3), "peakBytes": bench.own_peak_bytes(), "startBytes": start_bytes}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
