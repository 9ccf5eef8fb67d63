"""The estimator, with the conventions of scikit-learn but without it."""

from __future__ import annotations

import ctypes
import inspect
import json
import os
from ctypes import c_double, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _library
from ._functions import Model
from ._library import ProgressOption, Watcher


class Highland:
    """Clusters embeddings into an unknown number of groups.

    Parameters
    ----------
    model : Model, bytes or path, optional
        A trained network (`train`). Default: the one in the box, compared with clustering by flow, as
        ``highland cluster`` does.
    k : int, optional
        Places of a row's neighbour list, the row itself included. Default: chosen on the data, or by the model.
    granularity : {"finer", "as-trained", "coarser"}, optional
        Whether to make more and smaller clusters than the model would, or fewer and larger ones.
    n_clusters : None
        The number of clusters cannot be given yet: it is found.
    method : {"flow", "network", "auto"}, optional
    tau : float, optional
        Merge only along linkages more probable than this.
    threads : int, optional
        Default: all processors that the process may use. No result depends on it.
    progress : "auto", bool or function
        "auto": a line on a terminal, else nothing. A function gets phase, level and the share that is done.

    Attributes
    ----------
    labels_ : int64 array of shape (n,)
        0, 1, 2, ... in the order in which clusters first appear. There is no noise: a row may be a cluster of its own.
    probabilities_ : float32 array of shape (n,)
        How strongly a row belongs to its cluster, 0 ... 1: its similarity to the cluster's mean direction, relative
        to that of the nearest member. Not a calibrated probability; named as in hdbscan.
    cluster_layers_ : list of int64 arrays of shape (n,)
        The labels of every level, finest first; the last are `labels_`.
    report_ : dict
        What was done: the choices, counts and seconds of ``highland cluster --report``.
    n_features_in_ : int
    """

    _estimator_type = "clusterer"

    def __init__(
        self, model: Model | bytes | str | os.PathLike[str] | None = None, k: int | None = None,
        granularity: str | None = None, n_clusters: None = None, *, method: str | None = None,
        tau: float | None = None, threads: int | None = None, progress: ProgressOption = "auto",
    ) -> None:
        self.model = model
        self.k = k
        self.granularity = granularity
        self.n_clusters = n_clusters
        self.method = method
        self.tau = tau
        self.threads = threads
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> "Highland":
        """Clusters the rows of a matrix.

        Parameters
        ----------
        X : array of shape (n, d)
            NumPy of float16, 32, 64 or integers in any order, memory-mapped too; PyTorch on the CPU and others with
            DLPack; pandas, polars; Arrow lists.
        y : ignored
        """
        if self.n_clusters is not None:
            raise ValueError(
                f"n_clusters={self.n_clusters}: the number of clusters is found and cannot be given yet; "
                "granularity='finer' or 'coarser' moves it")
        array = _arrays.rows(X)
        watcher = Watcher(self.progress)
        options, kept = self._options(watcher)
        handle = c_void_p()
        _library.call(
            "highland_cluster", _arrays.matrix(array), options, ctypes.byref(handle), watcher=watcher,
            keeping=(array, kept))
        library = _library.library
        try:
            count = library.highland_clustering_row_count(handle)

            def copied(pointer: Any) -> NDArray[Any]:
                return np.ctypeslib.as_array(pointer, (count,)).copy()

            self.labels_ = copied(library.highland_clustering_labels(handle))
            self.probabilities_ = copied(library.highland_clustering_strengths(handle))
            levels = library.highland_clustering_level_count(handle)
            self.cluster_layers_ = [
                copied(library.highland_clustering_level_labels(handle, level)) for level in range(levels)]
            self.report_ = json.loads(library.highland_clustering_report(handle))
        finally:
            library.highland_clustering_free(handle)
        self.n_features_in_ = array.shape[1]
        columns = getattr(X, "columns", None)
        if columns is not None and all(isinstance(name, str) for name in columns):
            self.feature_names_in_ = np.asarray(columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def fit_predict(self, X: Any, y: Any = None) -> NDArray[np.int64]:
        """Clusters the rows of a matrix, and returns `labels_`."""
        return self.fit(X).labels_

    def _options(self, watcher: Watcher) -> tuple[_library.Options, Any]:
        """The options, and what must live as long as they do."""
        options = _library.Options(
            k=self.k or 0, threads=self.threads or 0, keep_levels=1, strengths=1,
            progress=watcher.callback)
        if self.method is not None:
            options.method = self.method.encode()
        if self.granularity is not None:
            options.granularity = self.granularity.encode()
        tau = None if self.tau is None else c_double(self.tau)
        if tau is not None:
            options.tau = ctypes.pointer(tau)
        data = self.model.data if isinstance(self.model, Model) else self.model
        if isinstance(data, bytes):
            options.model_data = ctypes.cast(ctypes.c_char_p(data), c_void_p)
            options.model_size = len(data)
        elif data is not None:
            options.model_path = os.fsencode(data)
        return options, (tau, data)

    # The conventions of scikit-learn.

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by their names."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> "Highland":
        """Sets parameters by their names."""
        names = self._parameter_names()
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {names}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={value!r}" for name, value in self.get_params().items()
            if value is not defaults[name].default and value != defaults[name].default]
        return f"Highland({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="clusterer", target_tags=TargetTags(required=False), transformer_tags=None,
            classifier_tags=None, regressor_tags=None, input_tags=InputTags())
