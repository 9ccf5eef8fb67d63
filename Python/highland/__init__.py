"""Learned hierarchical clustering of embeddings.

>>> labels = highland.Highland().fit_predict(X)

Only the directions of rows matter (cosine similarity). Labels are the same, bit for bit, on any number of
threads, and the same as those of the command ``highland cluster``.
"""

from ._estimator import Highland
from ._files import read
from ._functions import Model, evaluate, knn_graph, train
from ._library import version as __version__
from ._neighbors import kneighbors_graph

__all__ = ["Highland", "Model", "evaluate", "kneighbors_graph", "knn_graph", "read", "train", "__version__"]
