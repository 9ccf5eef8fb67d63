"""Everything but the estimator."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
from ctypes import c_size_t, c_void_p
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _library, _words
from ._labels import codes
from ._library import ProgressOption, Watcher


def invalid_rows_hint(array: NDArray[Any], *, can_be_kept: bool) -> str:
    """What to do about rows without a direction; empty if there are none."""
    bad = _arrays.first_bad_row(array)
    if bad is None:
        return ""
    kept = ", or invalid_rows='singleton' makes each a cluster of its own" if can_be_kept else ""
    return f". {bad[0].upper()}{bad[1:]}; drop or mend such rows{kept}"


@dataclass(frozen=True)
class Model:
    """A trained network, to be pickled, saved and compared.

    Parameters
    ----------
    data : bytes
        The contents of a ``.safetensors`` file.

    Raises
    ------
    TypeError
        For the path of a file, which `load` reads, and whatever is not bytes.
    """

    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            raise TypeError(f"Model({_words.shown(self.data)}): expected bytes; Model.load(path) reads a file")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Reads what `save` or ``highland train`` wrote. Whether it is a model is seen when it is used."""
        return cls(pathlib.Path(path).read_bytes())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file that ``highland cluster --model`` reads."""
        pathlib.Path(path).write_bytes(self.data)

    def __repr__(self) -> str:
        return f"Model({len(self.data)} bytes)"


def knn_graph(
    X: Any, k: int = 15, *, search: Literal["exact", "approximate", "auto"] | None = None,
    recall: float | None = None, threads: int | None = None, progress: ProgressOption = "auto",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest neighbours of every row by cosine similarity.

    Parameters
    ----------
    X : array of shape (n, d)
        Embeddings, in any form that `Highland.fit` takes.
    k : int
        Places of a list, 2 or more, the row itself included.
    search : {"exact", "approximate", "auto"}, optional
        Default: "auto", exactly where that is fast.
    recall : float, optional
        The share of the true neighbours that an approximate search is to find. Default: 0.99.
    threads, progress
        As of `Highland`.

    Returns
    -------
    indices : int64 array of shape (n, k)
        The row itself, then others, nearest first; -1 where there are fewer rows.
    similarities : float32 array of shape (n, k)
        1 for the row itself; 0 where there are fewer rows. ``1 - similarities`` are cosine distances.

    See Also
    --------
    kneighbors_graph : The same as a sparse matrix of distances, as scikit-learn takes it.

    Examples
    --------
    As UMAP takes it, where there are at least as many rows as neighbours:

    >>> indices, similarities = highland.knn_graph(X, 15)
    >>> UMAP(n_neighbors=15, metric="cosine", precomputed_knn=(indices, 1 - similarities))
    """
    array = _arrays.rows(X)
    watcher = Watcher(progress)
    options = _library.Options(
        search=str("auto" if search is None else search).encode(), recall=_library.real(recall, "recall", 0.01, 1) or 0,
        threads=_library.thread_count(threads), progress=watcher.callback)
    if k is None:
        raise TypeError("k = None: expected a whole number, 2 or more")
    k = _library.whole(k, "k", 2)
    indices = np.empty((len(array), k), np.int64)
    similarities = np.empty(indices.shape, np.float32)
    _library.call(
        "highland_knn", _arrays.matrix(array), k, options, indices.ctypes.data,
        similarities.ctypes.data, watcher=watcher, keeping=(array, indices, similarities),
        explain=lambda: invalid_rows_hint(array, can_be_kept=False))
    return indices, similarities


def evaluate(labels: ArrayLike, truth: ArrayLike) -> dict[str, Any]:
    """Compares labels with the truth.

    Unlike in scikit-learn's measures (``labels_true, labels_pred``), the labels that were found come first and the true
    ones second. Exchanged, they exchange precision and recall: ``evaluate(labels=..., truth=...)`` cannot be mistaken.

    Parameters
    ----------
    labels : array of shape (n,)
        The labels that were found: numbers or texts, of which only those that are equal matter. -1 is a label like any
        other: rows that hdbscan or DBSCAN calls noise would count as one cluster.
    truth : array of shape (n,)
        The true labels, in the same way.

    Returns
    -------
    dict
        Pairwise and BCubed precision, recall and F, NMI, ARI and sizes, with the keys of
        ``highland evaluate --json``; None stands for 0/0.

    Raises
    ------
    ValueError
        For a label that is missing (None, NaN, NaT, NA), with its row, and for arrays of different lengths.
    TypeError
        For numbers and texts among each other.
    """
    predicted, expected = codes(labels, "labels"), codes(truth, "truth")
    if len(predicted) != len(expected):
        raise ValueError(f"{len(predicted)} labels, but {len(expected)} of the truth; expected as many")
    text = c_void_p()
    _library.call(
        "highland_evaluate", expected.ctypes.data, predicted.ctypes.data, len(expected),
        ctypes.byref(text), watcher=Watcher(False), keeping=(predicted, expected))
    return json.loads(_library.take_text(text))


def train(
    X: Any, y: ArrayLike, *, seed: int = 0, epochs: int | None = None, graphs: int | None = None,
    width: int | None = None, k: int | None = None, transform: bool = True,
    threads: int | None = None, progress: ProgressOption = "auto",
) -> Model:
    """Trains a model on rows whose identities are known, for other data of the same kind.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,)
        The identity of every row, a number or a text. None may be missing; -1 is an identity like any other.
    seed, epochs, graphs, width, k : int, optional
        As the options of ``highland train``.
    transform : bool, default True
        Whether to try if a linear transform of rows helps. A model that holds one is for rows of this width alone.
    threads, progress
        As of `Highland`.

    Returns
    -------
    Model
        For ``Highland(model=...)``; can be pickled and saved.
    """
    array, labels = _arrays.rows(X), codes(y, "y")
    if len(labels) != len(array):
        raise ValueError(f"y has {len(labels)} labels, but X has {len(array)} rows; expected one for each")
    watcher = Watcher(progress)
    options = _library.TrainingOptions(
        seed=_library.whole(seed, "seed", 0), epochs=_library.whole(epochs, "epochs"),
        graphs=_library.whole(graphs, "graphs"), width=_library.whole(width, "width"),
        k=_library.whole(k, "k", 2), no_transform=not transform, threads=_library.thread_count(threads), progress=watcher.callback)
    model, size = c_void_p(), c_size_t()
    _library.call(
        "highland_train", _arrays.matrix(array), labels.ctypes.data, options, ctypes.byref(model),
        ctypes.byref(size), watcher=watcher, keeping=(array, labels),
        explain=lambda: invalid_rows_hint(array, can_be_kept=False))
    data = ctypes.string_at(model.value or 0, size.value)
    _library.library.highland_free(model)
    return Model(data)
