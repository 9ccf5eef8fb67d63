"""Everything but the estimator."""

from __future__ import annotations

import ctypes
import json
import os
import pathlib
from ctypes import c_size_t, c_void_p
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _library
from ._library import ProgressOption, Watcher


@dataclass(frozen=True)
class Model:
    """A trained network: the contents of a ``.safetensors`` file."""

    data: bytes

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Model":
        return cls(pathlib.Path(path).read_bytes())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file that ``highland cluster --model`` reads."""
        pathlib.Path(path).write_bytes(self.data)

    def __repr__(self) -> str:
        return f"Model({len(self.data)} bytes)"


def knn_graph(
    X: Any, k: int = 15, *, search: str = "auto", recall: float | None = None,
    threads: int | None = None, progress: ProgressOption = "auto",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The nearest neighbours of every row by cosine similarity.

    Parameters
    ----------
    X : array of shape (n, d)
        Embeddings, in any form that `Highland.fit` takes.
    k : int
        Places of a list, the row itself included.
    search : {"auto", "exact", "approximate"}
    recall : float, optional
        The share of the true neighbours that an approximate search is to find. Default: 0.99.

    Returns
    -------
    indices : int64 array of shape (n, k)
        The row itself, then others, nearest first; -1 where there are fewer rows.
    similarities : float32 array of shape (n, k)
        0 where there are fewer rows. UMAP takes ``precomputed_knn=(indices, 1 - similarities)``.
    """
    array = _arrays.rows(X)
    watcher = Watcher(progress)
    options = _library.Options(
        search=search.encode(), recall=recall or 0, threads=threads or 0, progress=watcher.callback)
    indices = np.empty((len(array), max(int(k), 0)), np.int64)
    similarities = np.empty(indices.shape, np.float32)
    _library.call(
        "highland_knn", _arrays.matrix(array), int(k), options, indices.ctypes.data,
        similarities.ctypes.data, watcher=watcher, keeping=(array, indices, similarities))
    return indices, similarities


def _codes(labels: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{name} of shape {array.shape}; expected one label per row")
    if array.dtype.kind in "iub":
        return np.ascontiguousarray(array, np.int64)
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def evaluate(labels: ArrayLike, truth: ArrayLike) -> dict[str, Any]:
    """Compares labels with the truth.

    Returns
    -------
    dict
        Pairwise and BCubed precision, recall and F, NMI, ARI and sizes, with the keys of
        ``highland evaluate --json``; None stands for 0/0.
    """
    predicted, expected = _codes(labels, "labels"), _codes(truth, "truth")
    if len(predicted) != len(expected):
        raise ValueError(f"{len(predicted)} labels, but {len(expected)} of the truth")
    text = c_void_p()
    _library.call(
        "highland_evaluate", expected.ctypes.data, predicted.ctypes.data, len(expected),
        ctypes.byref(text), watcher=Watcher(False), keeping=(predicted, expected))
    return json.loads(_library.take_text(text))


def train(
    X: Any, y: ArrayLike, *, seed: int = 0, epochs: int | None = None, graphs: int | None = None,
    width: int | None = None, k: int | None = None, threads: int | None = None,
    progress: ProgressOption = "auto",
) -> Model:
    """Trains a model on rows whose identities are known, for other data of the same kind.

    Parameters
    ----------
    X : array of shape (n, d)
    y : array of shape (n,)
        The identity of every row: numbers or texts.
    seed, epochs, graphs, width, k : int, optional
        As the options of ``highland train``.

    Returns
    -------
    Model
        For ``Highland(model=...)``; can be pickled and saved.
    """
    array, labels = _arrays.rows(X), _codes(y, "y")
    if len(labels) != len(array):
        raise ValueError(f"{len(labels)} labels for {len(array)} rows")
    watcher = Watcher(progress)
    options = _library.TrainingOptions(
        seed=seed, epochs=epochs or 0, graphs=graphs or 0, width=width or 0, k=k or 0,
        threads=threads or 0, progress=watcher.callback)
    model, size = c_void_p(), c_size_t()
    _library.call(
        "highland_train", _arrays.matrix(array), labels.ctypes.data, options, ctypes.byref(model),
        ctypes.byref(size), watcher=watcher, keeping=(array, labels))
    data = ctypes.string_at(model.value or 0, size.value)
    _library.library.highland_free(model)
    return Model(data)


def read(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The matrix of a file, read where it is: ``.npy``, ``.fbin``, ``.u8bin``, ``.i8bin``, ``.fvecs`` or
    ``.safetensors`` with one matrix. Rows come from the disk when they are used."""
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    plain = {".fbin": "<f4", ".u8bin": "u1", ".i8bin": "i1"}
    if suffix in plain:
        shape = tuple(int(length) for length in np.fromfile(path, "<u4", 2))
        return np.memmap(path, plain[suffix], "r", 8, shape)
    if suffix == ".fvecs":
        columns = int(np.fromfile(path, "<i4", 1)[0])
        return np.memmap(path, "<f4", "r").reshape(-1, columns + 1)[:, 1:]
    if suffix == ".safetensors":
        length = int(np.fromfile(path, "<u8", 1)[0])
        with open(path, "rb") as file:
            file.seek(8)
            header = json.loads(file.read(length))
        types = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I8": "i1", "U8": "u1"}
        tensors = [entry for name, entry in header.items() if name != "__metadata__" and len(entry["shape"]) == 2]
        if len(tensors) != 1 or tensors[0]["dtype"] not in types:
            raise ValueError(f"{path}: expected one matrix of {', '.join(types)}")
        offset = 8 + length + tensors[0]["data_offsets"][0]
        return np.memmap(path, types[tensors[0]["dtype"]], "r", offset, tuple(tensors[0]["shape"]))
    raise ValueError(f"{path}: expected .npy, .fbin, .u8bin, .i8bin, .fvecs or .safetensors")
