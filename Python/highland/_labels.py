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


class GroupCodes:
    """The groups of the rows of a fit as numbers, and those of new rows as numbers that are equal where the groups are.

    Parameters
    ----------
    groups : array of shape (n,)
        Texts or numbers, as `codes` takes them.
    """

    def __init__(self, groups: ArrayLike) -> None:
        self.codes = codes(groups, "groups")
        # Whole numbers are their own codes.
        self._known: dict[Any, int] | None = None
        array = np.asarray(groups)
        if array.dtype.kind == "f" and (array == np.floor(array)).all():
            self.codes = array.astype(np.int64)
        elif array.dtype.kind not in "iub":
            self._known = {value: code for code, value in enumerate(np.unique(array).tolist())}

    def of(self, groups: ArrayLike) -> NDArray[np.int64]:
        """The numbers of new rows' groups; those that the fit has not seen have numbers of their own.

        Raises
        ------
        TypeError
            For whole numbers where the fit has others or texts, or the reverse; and as `codes`.
        """
        new = GroupCodes(groups)
        if (self._known is None) != (new._known is None):
            kinds = ["whole numbers", "texts or others"]
            raise TypeError(
                f"groups: {kinds[new._known is not None]}; expected {kinds[self._known is not None]}, "
                "as those of fit are")
        if self._known is None or new._known is None:
            return new.codes
        known = dict(self._known)
        numbers = np.array([known.setdefault(value, len(known)) for value in new._known], np.int64)
        return numbers[new.codes]


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
