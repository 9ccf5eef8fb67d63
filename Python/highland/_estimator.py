"""The estimator, with the conventions of scikit-learn but without it."""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import json
import os
from ctypes import c_double, c_size_t, c_void_p
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _library, _ranks, _reports
from ._assigning import Fit, check_columns, not_fitted
from ._functions import Model, invalid_rows_hint
from ._labels import GroupCodes
from ._library import ProgressOption, Watcher
from ._missing import without_missing
from ._words import shown

# What a fit sets, and the next one replaces.
_RESULTS = (
    "labels_", "probabilities_", "exemplars_", "cluster_layers_", "duplicates_", "report_", "n_features_in_",
    "feature_names_in_", "_levels", "_fit")


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
    n_clusters : int or (int, int), optional
        How many clusters to make, or how many at least and at most; of every group, if `fit` gets groups. Default:
        as many as are found. Where too many are found, the most probable links that are left are merged, one by one;
        where there are too few, thresholds are raised. Meant for a number near to the one that is found: one far
        below it takes long and makes few large clusters, one far above makes many of a single row. Copies of a row
        stay together: if there are fewer different rows than that, each of them is a cluster, and no error is raised.
    method : {"flow", "network", "auto"}, optional
        How to cluster: by flow on the neighbour graph, by a network, or by whichever of the two fits the data
        better. Default: "network" with an option of networks (`model`, `granularity`, `n_clusters`, `tau`) or groups,
        "flow" with `k`, else "auto", and "network" for more than 200,000 rows.
    tau : float, optional
        Merge only along linkages more probable than this, 0 ... 1; also at level 0 where the model would merge it by
        modules.
    search : {"exact", "approximate", "auto"}, optional
        How neighbours are searched. Default: "auto", exactly where that is fast.
    recall : float, optional
        The share of the true neighbours that an approximate search is to find. Default: 0.99.
    invalid_rows : {"error", "singleton"}, optional
        What to do with rows that have no direction, as they are all zeros or have NaN or infinite values. Default:
        "error"; "singleton" makes each a cluster of its own, and so rows that are missing (None, NaN or null in a
        column of lists).
    threads : int, optional
        Default: all processors that the process may use, but no more than the environment variable OMP_NUM_THREADS
        says, if it is set. No result depends on it.
    progress : "auto", bool or function
        "auto": a line on a terminal, or a bar where tqdm is installed, else nothing. A function gets phase, level and
        the share that is done.
    hierarchy : path, optional
        A directory to write every level to, as ``highland cluster --hierarchy`` does; `report` makes a page of it. It
        must be new or empty for each `fit`, and appears when all is complete. Networks have levels, so these cluster;
        not with `n_clusters` or groups, which have levels of their own.
    comm : mpi4py.MPI.Comm, optional
        A communicator of mpi4py, with Open MPI 4 or 5 or the ABI of MPI 5. All its ranks call `fit`, each with its own rows: the labels are those
        that one process would find in the rows of all, those of rank 0 first. Every rank gets `labels_` and
        `cluster_layers_` of its own rows; there are no `probabilities_`, `exemplars_` and `duplicates_`, and no
        `predict`. An error on one rank is raised on all; Ctrl-C and a progress function that raises end the job.

    Attributes
    ----------
    labels_ : int64 array of shape (n,)
        0, 1, 2, ... in the order in which clusters first appear. There is no noise, and no -1: a row that is like no
        other is a cluster of its own.
    probabilities_ : float32 array of shape (n,)
        How strongly a row belongs to its cluster, 0 ... 1: its similarity to the cluster's mean direction, relative
        to that of the nearest member. Not a calibrated probability; named as in hdbscan.
    exemplars_ : int64 array of shape (clusters,)
        For every cluster the row that is nearest to its mean direction: ``X[exemplars_[c]]`` is typical of cluster c.
    cluster_layers_ : list of int64 arrays of shape (n,)
        The labels of every level, finest first; the last are `labels_`. Each level merges clusters of the one
        before. Flow makes one level, a network several; with `n_clusters` or groups only the last is told.
    duplicates_ : int64 array of shape (n,)
        For every row the first row that has the same numbers, which is the row itself if there is no copy before
        it. ``np.flatnonzero(duplicates_ == np.arange(n))`` are the rows without repetitions.
    report_ : dict
        What was done: the choices, counts and seconds of ``highland cluster --report``.
    n_clusters_ : int
        How many clusters were found.
    n_features_in_ : int
        The number of columns.
    feature_names_in_ : object array of shape (n_features_in_,)
        The names of the columns, if `X` had names that are all strings.

    See Also
    --------
    train : Trains a model for data like yours.
    evaluate : Compares labels with the truth.

    Examples
    --------
    >>> model = highland.Highland().fit(X)
    >>> model.labels_, model.predict(new_rows)
    >>> finer = highland.Highland(granularity="finer").fit(X)
    >>> finer.exemplars_[finer.labels_[0]]  # the row that is most typical of the cluster of row 0
    """

    _estimator_type = "clusterer"

    progress: ProgressOption
    labels_: NDArray[np.int64]
    probabilities_: NDArray[np.float32]
    exemplars_: NDArray[np.int64]
    cluster_layers_: list[NDArray[np.int64]]
    duplicates_: NDArray[np.int64]
    report_: dict[str, Any]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    _levels: str | None

    def __init__(
        self, model: Model | bytes | str | os.PathLike[str] | None = None, k: int | None = None,
        granularity: Literal["finer", "as-trained", "coarser"] | None = None, n_clusters: int | tuple[int, int] | None = None, *,
        method: Literal["flow", "network", "auto"] | None = None, tau: float | None = None,
        search: Literal["exact", "approximate", "auto"] | None = None, recall: float | None = None,
        invalid_rows: Literal["error", "singleton"] | None = None, threads: int | None = None,
        progress: ProgressOption = "auto", hierarchy: str | os.PathLike[str] | None = None, comm: Any = None,
    ) -> None:
        self.model = model
        self.k = k
        self.granularity = granularity
        self.n_clusters = n_clusters
        self.method = method
        self.tau = tau
        self.search = search
        self.recall = recall
        self.invalid_rows = invalid_rows
        self.threads = threads
        self.progress = progress
        self.hierarchy = hierarchy
        self.comm = comm

    def fit(self, X: Any, y: Any = None, groups: ArrayLike | None = None) -> Highland:
        """Clusters the rows of a matrix.

        Parameters
        ----------
        X : array of shape (n, d)
            NumPy of float16, 32, 64, integers or bool in any order, memory-mapped too; PyTorch on the CPU and others
            with DLPack or the array interface; pandas, polars; Arrow lists.
        y : ignored
            For pipelines of scikit-learn.
        groups : array of shape (n,), optional
            The group of every row, a number or a text: such as the recording, the user or the day. Each group is
            clustered as if it were alone, all at once; no cluster is in two. None may be missing; -1 is a group like
            any other.

        Returns
        -------
        Highland
            Itself.

        Raises
        ------
        TypeError, ValueError
            For rows or options that cannot be used; the message names the row or option and says what was expected.
        FileNotFoundError
            For the path of a model where there is none.
        MemoryError
            If the work would need more memory than is free. Nothing was begun.
        KeyboardInterrupt
            Within a second of Ctrl-C.
        """
        if self.comm is not None:
            return self._fit_over_ranks(X, groups)
        array = _arrays.rows(without_missing(X, self.invalid_rows))
        watcher = Watcher(self.progress)
        options, kept = self._options(watcher)
        numbered = None if groups is None else GroupCodes(groups)
        if numbered is not None:
            if len(numbered.codes) != len(array):
                raise ValueError(
                    f"groups of {len(numbered.codes)} rows, but X has {len(array)}; expected one for each")
            self._check_method("groups")
            options.groups = numbered.codes.ctypes.data
        handle = c_void_p()
        _library.call(
            "highland_cluster", _arrays.matrix(array), options, ctypes.byref(handle), watcher=watcher,
            keeping=(array, numbered, kept), explain=lambda: invalid_rows_hint(array, can_be_kept=True))
        results = self._taken(handle)
        # The file may be another one when new rows come.
        model = results.pop("model")
        given = self._model_data()
        if not isinstance(given, (str, os.PathLike)):
            model = given
        results["_fit"] = Fit(
            array, results["labels_"], results["report_"], model, numbered, self.n_clusters is not None)
        results["exemplars_"] = _exemplars(results["labels_"], results["probabilities_"])
        results["duplicates_"] = _arrays.duplicates(array)
        return self._become(results, X, array)

    def _taken(self, handle: c_void_p) -> dict[str, Any]:
        """What a clustering of the library holds, which is freed: attributes by name, and the bytes of the model."""
        library = _library.library
        try:
            count = library.highland_clustering_row_count(handle)

            def copied(pointer: Any) -> NDArray[Any]:
                return np.ctypeslib.as_array(pointer, (count,)).copy()

            size = c_size_t()
            model = library.highland_clustering_model(handle, ctypes.byref(size))
            results: dict[str, Any] = {
                "labels_": copied(library.highland_clustering_labels(handle)),
                "cluster_layers_": [
                    copied(library.highland_clustering_level_labels(handle, level))
                    for level in range(library.highland_clustering_level_count(handle))],
                "report_": json.loads(library.highland_clustering_report(handle)),
                "model": ctypes.string_at(model, size.value) if model else None,
            }
            strengths = library.highland_clustering_strengths(handle)
            if strengths:
                results["probabilities_"] = copied(strengths)
            return results
        finally:
            library.highland_clustering_free(handle)

    def _become(self, results: dict[str, Any], X: Any, array: np.ndarray) -> Highland:
        """Replaces all results at once: whatever fails before leaves those of the fit before."""
        # Where it was when it was written, whatever the working directory is later.
        results["_levels"] = None if self.hierarchy is None else os.path.abspath(self.hierarchy)
        results["n_features_in_"] = array.shape[1]
        names = _arrays.column_names(X)
        # A column of lists has one name for all.
        if names is not None and len(names) == array.shape[1] and all(isinstance(name, str) for name in names):
            results["feature_names_in_"] = np.asarray(names, dtype=object)
        kept = {name: value for name, value in self.__dict__.items() if name not in _RESULTS}
        self.__dict__ = {**kept, **results}
        return self

    def _fit_over_ranks(self, X: Any, groups: ArrayLike | None) -> Highland:
        """`fit` of the rows of all ranks."""
        comm = _ranks.handle(self.comm)

        def prepared() -> tuple[Any, dict[str, Any]]:
            if groups is not None:
                raise ValueError("groups with comm: expected one of them")
            array = _arrays.rows(without_missing(X, self.invalid_rows), may_be_empty=True)
            watcher = Watcher(self.progress)
            options, kept = self._options(watcher)
            options.strengths = 0
            replicated = {
                name: value for name, value in self.get_params().items()
                if name not in ("model", "progress", "threads", "comm")}
            data = self._model_data()
            replicated["model"] = hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else data
            return (array, watcher, options, kept), replicated

        array, watcher, options, kept = _ranks.agreed(self.comm, prepared)
        handle = c_void_p()
        with _ranks.ended_by_interrupts():
            _library.call(
                "highland_cluster_over", comm, _arrays.matrix(array), options, ctypes.byref(handle), watcher=watcher,
                keeping=(array, kept), on_this_thread=True)
        results = self._taken(handle)
        del results["model"]
        return self._become(results, X, array)

    def fit_predict(self, X: Any, y: Any = None, groups: ArrayLike | None = None) -> NDArray[np.int64]:
        """Clusters the rows of a matrix, and returns `labels_`; as `fit`."""
        return self.fit(X, groups=groups).labels_

    def predict(self, X: Any, groups: ArrayLike | None = None) -> NDArray[np.int64]:
        """Finds the clusters of new rows, as ``highland assign`` does.

        New rows join the clusters of the fit, which do not change, or found new ones, whose numbers go on after those
        of `labels_`. A row with the direction of one of the fit gets its label, so ``predict`` of the rows of the fit
        returns `labels_`. Labels depend on which rows come together: a row alone founds a cluster where many like it
        would found one in common.

        The rows of `fit` are kept, without a copy where that is possible, and must not change. Their neighbours are
        searched by the first call.

        The numbers of new clusters are those of one call: the next one begins with the same number, for other clusters.
        Rows whose labels are to be compared go into one call.

        Parameters
        ----------
        X : array of shape (n, n_features_in_)
            In any form that `fit` takes.
        groups : array of shape (n,), optional
            The group of every row, if `fit` got groups: a number or a text, as there. New rows join clusters of their
            own group, or found new ones there; a group that `fit` has not seen is clustered by itself.

        Returns
        -------
        int64 array of shape (n,)

        Raises
        ------
        ValueError
            Before `fit`; without groups after a `fit` with groups, or the reverse; after a `fit` with groups and
            `n_clusters`, as new rows may found clusters; for other columns than those of `fit`; and as `fit`.
        TypeError
            For groups that are numbers where those of `fit` are texts, or the reverse; and as `fit`.
        """
        X = without_missing(X, self.invalid_rows)
        if not hasattr(self, "labels_"):
            raise not_fitted("This Highland instance is not fitted yet. Call 'fit' before 'predict'.")
        if not hasattr(self, "_fit"):
            raise ValueError("predict after a fit with comm: expected a fit without it")
        check_columns(X, getattr(self, "feature_names_in_", None))
        array = _arrays.rows(X)
        if array.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {array.shape[1]} features, but Highland is expecting {self.n_features_in_} features as input.")
        numbers = self._fit.groups_of(groups, len(array))
        watcher = Watcher(self.progress)
        options = _library.Options(
            recall=_library.real(self.recall, "recall", 0.01, 1) or 0,
            threads=_library.thread_count(self.threads), progress=watcher.callback)
        for name in ("search", "invalid_rows"):
            word = getattr(self, name)
            if word is not None:
                setattr(options, name, str(word).encode())
        labels = np.empty(len(array), np.int64)
        handle = self._fit.handle(options, watcher)
        options.groups = None if numbers is None else numbers.ctypes.data
        _library.call(
            "highland_assign", handle, _arrays.matrix(array), options,
            labels.ctypes.data, watcher=watcher, keeping=(array, labels, numbers, self._fit),
            explain=lambda: invalid_rows_hint(array, can_be_kept=True))
        return labels

    def report(
        self, path: str | os.PathLike[str] | None = None, *, names: _reports.PathOrTexts | None = None,
        images: _reports.PathOrTexts | None = None, truth: ArrayLike | None = None, top: int = 10,
    ) -> str:
        """Makes a page of the clusters, as ``highland report`` does: sizes, levels, and what to look at first.

        It is one file, and shows the largest clusters, the least certain ones with the rows that bridge them, and the
        merges with most at stake. The levels are read from the directory `hierarchy` of the fit.

        Parameters
        ----------
        path : path, optional
            Where to write the page; what is there is replaced. Default: a temporary file, which a browser shows.
        names : path or sequence of n texts, optional
            What to call the rows; a path is that of a text with a line for each.
        images : path, sequence of n paths, or uint8 array of shape (n, height, width) or (n, height, width, 3), optional
            Images of the rows: PNG, JPEG, GIF or WebP files of at most 256 KiB, of which None or "" stands for none, or
            pixels. A path is that of a text with the path of an image on each line, or of a ``.npy`` of pixels. The page
            holds those of the rows that it lists.
        truth : array of shape (n,), optional
            The true labels: the page shows how well the clusters agree with them, and where they do not.
        top : int
            The longest list of clusters and merges.

        Returns
        -------
        str
            The path of the page.

        Raises
        ------
        ValueError
            Before `fit`; after a `fit` without `hierarchy`; for names, images or labels that are not of n rows, and images
            that cannot be read; the message names the row's line.
        """
        if not hasattr(self, "labels_"):
            raise not_fitted("This Highland instance is not fitted yet. Call 'fit' before 'report'.")
        if self._levels is None:
            raise ValueError("report: the fit kept no levels; expected Highland(hierarchy=DIRECTORY), and a fit")
        return _reports.save(_reports.page(self._levels, names, images, truth, top), path)

    def to_dict(self) -> dict[str, Any]:
        """Parameters and, once it is fitted, results, as values that JSON can hold.

        Returns
        -------
        dict
            ``highland`` is the version, ``parameters`` a dict, as `get_params`, with the `repr` of what is no text,
            number or bool. A fitted estimator has ``labels``, ``cluster_layers`` and, but for one with `comm`,
            ``probabilities``, ``exemplars`` and ``duplicates`` (lists), and ``report``.
        """
        plain = (str, int, float, bool, type(None))
        described: dict[str, Any] = {
            "highland": _library.version,
            "parameters": {
                name: value if isinstance(value, plain) else repr(value)
                for name, value in self.get_params().items()},
        }
        if hasattr(self, "labels_"):
            described.update(
                labels=self.labels_.tolist(),
                cluster_layers=[layer.tolist() for layer in self.cluster_layers_], report=self.report_)
            for name in ("probabilities", "exemplars", "duplicates"):
                if hasattr(self, f"{name}_"):
                    described[name] = getattr(self, f"{name}_").tolist()
        return described

    @property
    def n_clusters_(self) -> int:
        return self.report_["clusterCount"]

    def _options(self, watcher: Watcher) -> tuple[_library.Options, Any]:
        """The options, and what must live as long as they do."""
        options = _library.Options(
            k=_library.whole(self.k, "k"), recall=_library.real(self.recall, "recall", 0.01, 1) or 0,
            threads=_library.thread_count(self.threads), keep_levels=1, strengths=1,
            progress=watcher.callback)
        for name in ("method", "granularity", "search", "invalid_rows"):
            word = getattr(self, name)
            if word is not None:
                setattr(options, name, str(word).encode())
        if self.n_clusters is not None:
            options.min_clusters, options.max_clusters = self._cluster_counts()
        threshold = _library.real(self.tau, "tau", 0, 1)
        tau = None if threshold is None else c_double(threshold)
        if tau is not None:
            options.tau = ctypes.pointer(tau)
        if self.hierarchy is not None:
            if not isinstance(self.hierarchy, (str, os.PathLike)):
                raise TypeError(f"hierarchy={self.hierarchy!r}: expected the path of a directory")
            options.hierarchy = os.fsencode(self.hierarchy)
        data = self._model_data()
        options.set_model(data)
        return options, (tau, data)

    def _model_data(self) -> bytes | str | os.PathLike[str] | None:
        """The contents of the model or its path; None for the one in the box."""
        data = self.model.data if isinstance(self.model, Model) else self.model
        if data is not None and not isinstance(data, (bytes, str, os.PathLike)):
            raise TypeError(f"model={shown(data)}: expected what highland.train returns, or the path of a model")
        if isinstance(data, (str, os.PathLike)) and data != "default":
            # Raises what Python raises for files that are not there.
            os.stat(data)
        return data

    def _cluster_counts(self) -> tuple[int, int]:
        """How many clusters there are to be at least and at most."""
        given = self.n_clusters
        pair = given if isinstance(given, (tuple, list)) else (given, given)
        counts = [_library.whole(count, "n_clusters") for count in pair]
        if len(counts) != 2 or not 1 <= counts[0] <= counts[1]:
            raise ValueError(f"n_clusters = {given!r}: expected a number, or (least, most)")
        self._check_method("n_clusters")
        return counts[0], counts[1]

    def _check_method(self, name: str) -> None:
        if self.method not in (None, "network"):
            raise ValueError(f"{name} with method={self.method!r}: expected 'network', which alone knows {name}")

    # The conventions of scikit-learn.

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls).parameters]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by their names.

        Parameters
        ----------
        deep : ignored
            No parameter is an estimator.
        """
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Highland:
        """Sets parameters by their names; those of the next `fit`."""
        names = self._parameter_names()
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {names}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={value!r}" for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)]
        return f"Highland({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="clusterer", target_tags=TargetTags(required=False), transformer_tags=None,
            classifier_tags=None, regressor_tags=None, input_tags=InputTags())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "labels_")


def _exemplars(labels: NDArray[np.int64], strengths: NDArray[np.float32]) -> NDArray[np.int64]:
    """The strongest row of every cluster, the first of several."""
    order = np.lexsort((-strengths, labels))
    return order[np.unique(labels[order], return_index=True)[1]].astype(np.int64)
