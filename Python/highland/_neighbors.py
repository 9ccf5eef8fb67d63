"""Neighbours as a sparse matrix."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ._functions import knn_graph
from ._library import ProgressOption


def kneighbors_graph(
    X: Any, k: int = 15, *, search: Literal["exact", "approximate", "auto"] | None = None,
    recall: float | None = None, threads: int | None = None, progress: ProgressOption = "auto",
) -> Any:
    """The nearest neighbours of every row as a sparse matrix of cosine distances; needs SciPy.

    Parameters
    ----------
    X, k, search, recall, threads, progress
        As of `knn_graph`.

    Returns
    -------
    scipy.sparse.csr_array of shape (n, n)
        float32. Row i holds 1 - similarity of row i and its neighbours, nearest first, itself (0) included: k of them, or
        n where there are fewer rows. Distances of 0 are stored, too.

    Raises
    ------
    ImportError
        Without SciPy.

    Examples
    --------
    >>> graph = highland.kneighbors_graph(X, 15)
    >>> sklearn.cluster.DBSCAN(eps=0.2, metric="precomputed").fit_predict(graph)
    """
    try:
        from scipy.sparse import csr_array
    except ImportError:
        raise ImportError("highland.kneighbors_graph needs SciPy: pip install scipy") from None
    indices, similarities = knn_graph(X, k, search=search, recall=recall, threads=threads, progress=progress)
    present = indices >= 0
    starts = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    # Rounding may make a similarity a little more than 1.
    distances = np.maximum(1 - similarities[present], 0)
    return csr_array((distances, indices[present], starts), shape=(len(indices), len(indices)))
