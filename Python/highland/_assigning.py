"""What a fitted estimator keeps for new rows."""

from __future__ import annotations

import ctypes
import json
import threading
import weakref
from ctypes import c_void_p
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _library
from ._labels import GroupCodes
from ._library import Watcher


class Fit:
    """The rows that were clustered, and what clustered them; prepared by the library for the first new rows.

    A pickle has the rows, but not what was prepared of them.
    """

    def __init__(
        self, rows: NDArray[Any], labels: NDArray[np.int64], report: dict[str, Any],
        model: bytes | None, groups: GroupCodes | None, has_cluster_counts: bool,
    ) -> None:
        self._rows = rows
        self._labels = labels.copy()
        self._report = json.dumps(report)
        self._model = model
        self._groups = groups
        self._has_cluster_counts = has_cluster_counts
        self._handle: c_void_p | None = None
        self._preparing = threading.Lock()

    def handle(self, options: _library.Options, watcher: Watcher) -> c_void_p:
        """What highland_assign takes.

        Parameters
        ----------
        options : Options
            How neighbours are searched, if that was not done before. Threads wait for the first that does it.
        """
        with self._preparing:
            if self._handle is None:
                options.set_model(self._model)
                if self._groups is not None:
                    options.groups = self._groups.codes.ctypes.data
                handle = c_void_p()
                _library.call(
                    "highland_fit", _arrays.matrix(self._rows), self._labels.ctypes.data, self._report.encode(), options,
                    ctypes.byref(handle), watcher=watcher, keeping=(self._rows, self._labels, self._model, self._groups))
                self._handle = handle
                weakref.finalize(self, _library.library.highland_fitted_free, handle)
            return self._handle

    def groups_of(self, groups: ArrayLike | None, count: int) -> NDArray[np.int64] | None:
        """The numbers of the groups of so many new rows; None where the rows of the fit have no groups."""
        if self._groups is None:
            if groups is not None:
                raise ValueError("groups: expected None, as the rows of fit have no groups")
            return None
        if self._has_cluster_counts:
            raise ValueError("predict after a fit with groups and n_clusters: new rows may found clusters")
        if groups is None:
            raise ValueError("groups: None; expected the group of every row, as the rows of fit have groups")
        numbers = self._groups.of(groups)
        if len(numbers) != count:
            raise ValueError(f"groups of {len(numbers)} rows, but X has {count}; expected one for each")
        return numbers

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_preparing": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _preparing=threading.Lock())


class NotFitted(ValueError, AttributeError):
    """What stands for scikit-learn's NotFittedError where there is no scikit-learn."""


def not_fitted(message: str) -> Exception:
    """scikit-learn's error, where it is there, or one of the same kinds."""
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return NotFitted(message)
    return NotFittedError(message)


def check_columns(X: Any, names: NDArray[np.object_] | None) -> None:
    """Refuses columns with other names than those of the fit, where both have names."""
    found = _arrays.column_names(X)
    if names is None or found is None:
        return
    expected = list(names)
    if found == expected:
        return
    message = "The feature names should match those that were passed during fit.\n"
    unseen = sorted(str(name) for name in set(found) - set(expected))
    missing = sorted(str(name) for name in set(expected) - set(found))
    for title, differing in [
        ("Feature names unseen at fit time:", unseen), ("Feature names seen at fit time, yet now missing:", missing),
    ]:
        if differing:
            message += title + "\n" + "".join(f"- {name}\n" for name in differing)
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(message)
