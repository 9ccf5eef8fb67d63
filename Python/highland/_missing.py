"""Columns of embeddings of which some are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays
from ._labels import is_missing


def without_missing(X: Any, invalid_rows: str | None) -> Any:
    """Embeddings with rows of zeros, which have no direction, in place of those that are missing.

    Parameters
    ----------
    X : any
        What a caller hands in.
    invalid_rows : str, optional
        "singleton", or `X` is returned as it is.

    Returns
    -------
    any
        `X` itself if it has no missing rows, or is no column of rows; else an array of shape (n, d).
    """
    if invalid_rows != "singleton":
        return X
    found = _column(X)
    if found is None:
        return X
    missing, column = found
    if not missing.any():
        return X
    if missing.all():
        raise ValueError("all rows are missing; expected some with numbers, which say how many columns there are")
    present = _arrays.rows(_kept(column, ~missing))
    array = np.zeros((len(missing), present.shape[1]), present.dtype)
    array[~missing] = present
    return array


def _column(X: Any) -> tuple[NDArray[np.bool_], Any] | None:
    """A column of rows, and which of them are missing; None for a matrix, and for what is not known here."""
    module = type(X).__module__.partition(".")[0]
    if module == "polars":
        if hasattr(X, "columns"):
            if hasattr(X, "collect") or X.width != 1:
                return None
            X = X.to_series()
        return (X.is_null().to_numpy(), X) if X.dtype.is_nested() else None
    if module == "pyarrow":
        if hasattr(X, "num_columns"):
            if X.num_columns != 1:
                return None
            X = X.column(0)
        if hasattr(X, "is_null") and hasattr(X.type, "value_type"):
            return np.asarray(X.is_null().to_numpy(zero_copy_only=False), bool), X
        return None
    if module == "pandas":
        if X.ndim == 2:
            if X.shape[1] != 1:
                return None
            X = X.iloc[:, 0]
        X = X.to_numpy()
    if isinstance(X, (list, tuple)) or isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1:
        return np.fromiter(map(is_missing, X), bool, len(X)), X
    return None


def _kept(column: Any, mask: NDArray[np.bool_]) -> Any:
    if isinstance(column, (list, tuple)):
        return [row for row, keep in zip(column, mask) if keep]
    if isinstance(column, np.ndarray):
        return column[mask]
    return column.filter(mask)
