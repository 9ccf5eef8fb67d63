"""FC-ES (arXiv:2408.13431), restated: the weights of a neighbour graph, where lists end, modules by Infomap.

    P_i(c) = exp(-(2 - 2 a_ic) / 0.5) / sum       over the k places of i's list, i itself among them
    w(i, j) = sum of (P_i(c) + P_j(c)) / 2        over the places c that both lists have

A point keeps the edges to its nearest neighbours up to the first whose weight is below theta, 0.22 as published. Needs
numpy and scipy, and infomap for the modules.
"""

import numpy as np
from scipy.sparse import csr_array

SCALE = 0.5
THETA = 0.22
LENGTHS = (6, 8, 10, 15, 20, 30, 40, 60, 80, 120)
BLOCK = 1024  # rows that are compared with all others at a time


def nearest(rows, count):
    """Similarities and indices of the nearest of all rows, the nearest first; every row begins its own list."""
    count = min(count, len(rows))
    similarities = np.empty((len(rows), count), dtype=np.float32)
    neighbors = np.empty((len(rows), count), dtype=np.int64)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK] @ rows.T
        own = np.arange(len(block))
        block[own, start + own] = np.inf  # first, also where there are copies
        found = np.argpartition(-block, count - 1, axis=1)[:, :count] if count < len(rows) else np.tile(
            np.arange(count), (len(block), 1))
        values = np.take_along_axis(block, found, axis=1)
        order = np.lexsort((found, -values), axis=1)
        similarities[start : start + BLOCK] = np.take_along_axis(values, order, axis=1)
        neighbors[start : start + BLOCK] = np.take_along_axis(found, order, axis=1)
    similarities[:, 0] = 1
    return similarities, neighbors


def weights(similarities, neighbors):
    """w of every place of the lists."""
    count, k = neighbors.shape
    steps = np.exp(-(2 - 2 * similarities.astype(np.float64)) / SCALE)
    steps /= steps.sum(axis=1, keepdims=True)
    starts = np.arange(0, count * k + 1, k)
    probability = csr_array((steps.ravel(), neighbors.ravel(), starts), shape=(count, count))
    place = csr_array((np.ones(count * k), neighbors.ravel(), starts), shape=(count, count))
    found = np.empty((count, k))
    for start in range(0, count, BLOCK):
        of = slice(start, start + BLOCK)
        both = (probability[of] @ place.T + place[of] @ probability.T).toarray()
        found[of] = np.take_along_axis(both, neighbors[of], axis=1) / 2
    return found


def kept(weight, theta):
    """Which places of the lists are edges: up to the first below theta, but for a point's own."""
    before = np.logical_and.accumulate(weight[:, 1:] >= theta, axis=1)
    return np.hstack([np.zeros((len(weight), 1), dtype=bool), before])


def modules(neighbors, weight, theta, seed):
    """Labels: the modules that Infomap finds along the directed edges, in two levels."""
    from infomap import Infomap

    row, place = np.nonzero(kept(weight, theta))
    labels = np.arange(len(neighbors))  # a point without edges is alone
    if len(row) == 0:
        return labels
    network = Infomap(silent=True, two_level=True, directed=True, seed=seed + 1, num_trials=1)
    network.add_links(np.column_stack([row, neighbors[row, place], weight[row, place]]))
    network.run()
    for node in network.nodes:
        labels[node.node_id] = len(labels) + node.module_id
    return labels
