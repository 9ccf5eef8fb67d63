"""Neighbours as scikit-learn takes them."""

import builtins

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()


def test_neighbours_are_a_sparse_matrix_of_distances():
    sparse = pytest.importorskip("scipy.sparse")
    graph = highland.kneighbors_graph(X, 10)
    indices, similarities = highland.knn_graph(X, 10)
    assert isinstance(graph, sparse.csr_array) and graph.shape == (len(X), len(X)) and graph.dtype == np.float32
    assert np.array_equal(graph.indices.reshape(-1, 10), indices) and (graph.data >= 0).all()
    assert np.allclose(graph.data.reshape(-1, 10), 1 - similarities, atol=1e-6)


def test_places_without_a_neighbour_are_left_out():
    pytest.importorskip("scipy.sparse")
    graph = highland.kneighbors_graph(X[:7], 15)
    unit = X[:7] / np.linalg.norm(X[:7], axis=1, keepdims=True)
    assert graph.shape == (7, 7) and graph.nnz == 49
    assert np.allclose(graph.toarray(), 1 - unit @ unit.T, atol=1e-5)
    # Copies have a distance of 0, which is stored.
    assert highland.kneighbors_graph(np.ones((3, 4)), 5).nnz == 9


def test_scikit_learn_clusters_the_sparse_matrix():
    cluster = pytest.importorskip("sklearn.cluster")
    model = cluster.DBSCAN(eps=0.2, min_samples=2, metric="precomputed").fit(highland.kneighbors_graph(X, 10))
    assert highland.evaluate(model.labels_, TRUTH)["nmi"] > 0.9


def test_scipy_is_asked_for(monkeypatch):
    imported = builtins.__import__

    def without(name, *arguments, **named):
        if name.startswith("scipy"):
            raise ImportError(name)
        return imported(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install scipy"):
        highland.kneighbors_graph(X, 5)


def test_the_choice_of_a_search_is_left_out_or_made():
    indices, _ = highland.knn_graph(X, 5, search=None)
    assert np.array_equal(indices, highland.knn_graph(X, 5, search="exact")[0])
    with pytest.raises(TypeError, match="k = None: expected a whole number"):
        highland.knn_graph(X, None)
    with pytest.raises(ValueError, match="exact, approximate"):
        highland.knn_graph(X, 5, search="brute")
