"""Labels in whatever form people hold them, as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._words import shown


def codes(labels: ArrayLike, name: str) -> NDArray[np.int64]:
    """Numbers that are equal where labels are: texts or numbers.

    Raises
    ------
    ValueError
        For a label that is missing (None, NaN, NaT, NA or masked), with its row; for other than one dimension.
    TypeError
        For numbers and texts among each other.
    """
    array = np.asarray(labels)
    if array.dtype.kind in "US" and isinstance(labels, (list, tuple)):
        # NumPy would make texts of all.
        array = np.asarray(labels, object)
    if array.ndim != 1:
        raise ValueError(f"{name} of shape {array.shape}; expected one label per row")
    missing = _first_missing(np.ma.getmaskarray(labels) if isinstance(labels, np.ma.MaskedArray) else None, array)
    if missing is not None:
        raise ValueError(
            f"{name}: row {missing} has no label ({shown(array[missing])}); expected a number or a text for every row")
    if array.dtype.kind in "iub":
        return np.ascontiguousarray(array, np.int64)
    try:
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    except TypeError:
        raise TypeError(f"{name}: labels of several kinds, such as numbers and texts; expected one kind") from None


def _first_missing(mask: NDArray[np.bool_] | None, array: NDArray[Any]) -> int | None:
    """The first row whose label is masked or is no value; None if all have one."""
    if mask is None:
        if array.dtype.kind == "O":
            return next((row for row, label in enumerate(array) if is_missing(label)), None)
        if array.dtype.kind not in "fcmM":
            return None
        mask = np.asarray(array != array)
    return int(np.argmax(mask)) if mask.any() else None


def is_missing(label: Any) -> bool:
    """Whether something that stands in a column is no value: None, NaN, NaT or NA."""
    if label is None or hasattr(label, "__len__"):
        return label is None
    try:
        # NaN, NaT and the like are not equal to themselves.
        return bool(label != label)
    except (TypeError, ValueError):
        # Whether pandas' NA is equal to anything cannot be said.
        return type(label).__name__ == "NAType"
