"""Rows of embeddings in whatever form people hold them, as a matrix of the C library."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ._labels import is_missing
from ._library import Matrix
from ._words import cut, shown

_DTYPES = {
    np.dtype(name): code
    for code, name in enumerate(
        ["f4", "f2", "f8", "i1", "u1", "?", "i2", "u2", "i4", "u4", "i8", "u8"])
}

# Rows that are looked at together where NumPy has to go through all of them.
_TILE = 4096

# Of these float() takes a part, without a word, and leaves the rest: the imaginary part, or the unit of time.
_NO_NUMBERS = (complex, np.complexfloating, np.datetime64, np.timedelta64)


def rows(X: Any, may_be_empty: bool = False) -> np.ndarray:
    """Embeddings as an array of two dimensions, without a copy where that is possible.

    Parameters
    ----------
    may_be_empty : bool
        Whether there may be no rows.

    Raises
    ------
    TypeError, ValueError
        For what is no matrix of real numbers; says which row, and what was expected.
    """
    array = _array(X)
    if np.ma.isMaskedArray(array):
        raise TypeError("masked arrays are not supported; fill or drop what is masked")
    if array.dtype == object:
        array = _numbers(array)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {array.dtype}; expected real numbers")
    if array.dtype.kind in "USmM":
        # flat: the first element of any number of dimensions, if there is one.
        example = f", such as {shown(next(array.flat))} in row 0" if array.size else ""
        raise ValueError(f"elements of type {array.dtype}{example}; expected numbers")
    if array.dtype.name == "longdouble" or array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if array.dtype.name.startswith(("bfloat16", "float8")):
        # Types of the package ml_dtypes, such as JAX hands out. float32 holds their numbers exactly.
        array = array.astype(np.float32)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in _DTYPES:
        raise TypeError(f"elements of type {array.dtype}; expected float16, 32 or 64, integers or bool")
    if array.ndim != 2:
        hint = " For a single row: X.reshape(1, -1)." if array.ndim == 1 else ""
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead, of shape {array.shape}: a row for each "
            f"embedding. Reshape your data.{hint}")
    if array.shape[0] == 0 and not may_be_empty:
        raise ValueError(f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    if any(stride == 0 and length > 1 for stride, length in zip(array.strides, array.shape)):
        # Numbers that are repeated where they lie, as broadcast_to does; to the library 0 is a stride without gaps.
        array = np.array(array, order="C")
    return array


def matrix(array: np.ndarray) -> Matrix:
    """The description of an array for the library; it lives as long as the array does."""
    return Matrix(
        array.ctypes.data, array.shape[0], array.shape[1], array.strides[0], array.strides[1],
        _DTYPES[array.dtype])


def column_names(X: Any) -> list[Any] | None:
    """The names of the columns of a frame or an Arrow table; None where columns have no names."""
    names = getattr(X, "column_names", None) or getattr(X, "columns", None)
    if names is None and hasattr(X, "schema"):
        names = getattr(X.schema, "names", None)
    return None if names is None else list(names)


def first_bad_row(array: np.ndarray) -> str | None:
    """The first row without a direction in words; None if all have one."""
    for start in range(0, len(array), _TILE):
        tile = np.asarray(array[start : start + _TILE])
        finite = np.isfinite(tile)
        bad = np.flatnonzero(~finite.all(axis=1) | ~tile.any(axis=1))
        if len(bad):
            row = int(bad[0])
            if finite[row].all():
                return f"row {start + row} is all zeros"
            column = int(np.argmin(finite[row]))
            return f"row {start + row} has {tile[row, column]} in column {column}"
    return None


def duplicates(array: np.ndarray) -> np.ndarray:
    """For every row the first row that has the same numbers: int64 of shape (n,).

    Rows are hashed by 64 bits and compared where hashes agree. Takes a reading of the array and 16 bytes per row.
    """
    count, columns = array.shape
    lanes = -(-columns * array.dtype.itemsize // 8)
    factors = np.random.default_rng(0).integers(1, 2**63, lanes, np.uint64) * np.uint64(2) + np.uint64(1)
    hashes = np.empty(count, np.uint64)
    for start in range(0, count, _TILE):
        tile = array[start : start + _TILE]
        padded = np.zeros((len(tile), lanes * 8 // array.dtype.itemsize), array.dtype)
        # Adding zero makes 0 of -0.
        np.add(tile, array.dtype.type(0), out=padded[:, :columns])
        words = padded.view(np.uint64)
        words ^= words >> np.uint64(32)
        words *= factors
        words ^= words >> np.uint64(29)
        hashes[start : start + _TILE] = words.sum(axis=1, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    sorted_hashes = hashes[order]
    begins = np.concatenate([[True], sorted_hashes[1:] != sorted_hashes[:-1]])
    roots = np.empty(count, np.int64)
    roots[order] = order[np.maximum.accumulate(np.where(begins, np.arange(count), 0))]
    # Rows of equal hashes and different numbers, which chance makes once in 2⁶⁴ pairs, stand for themselves.
    copies = np.flatnonzero(roots != np.arange(count))
    for start in range(0, len(copies), _TILE):
        tile = copies[start : start + _TILE]
        different = (array[tile] != array[roots[tile]]).any(axis=1)
        roots[tile[different]] = tile[different]
    return roots


def _array(X: Any) -> np.ndarray:
    """What a library hands out, as an array of NumPy of any type and shape."""
    if isinstance(X, np.ndarray):
        return X
    if isinstance(X, (str, bytes, os.PathLike)):
        raise TypeError(f"{shown(X)} is the name of a file at best; expected numbers: highland.read(path) maps files")
    module = type(X).__module__.partition(".")[0]
    if hasattr(X, "tocsr") or type(X).__module__.startswith(("scipy.sparse", "sparse.")):
        raise TypeError(
            "sparse input is not supported: a sparse matrix was passed, but neighbours are searched among "
            "dense rows. Reduce it first, as by sklearn.decomposition.TruncatedSVD, or pass X.toarray() "
            "if it is small.")
    if module == "torch":
        return _tensor(X)
    if module == "pandas":
        return _pandas(X)
    if module == "polars":
        return _polars(X)
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
        return _arrow(X)
    if hasattr(X, "__dlpack__") and not hasattr(X, "__array_interface__"):
        try:
            return np.from_dlpack(X)
        except (BufferError, RuntimeError) as error:
            # Such as bfloat16, which has no code in NumPy, where the library can say it otherwise.
            if not hasattr(X, "__array__"):
                raise TypeError(
                    f"{type(X).__name__} cannot be read by DLPack: {error}; expected an array in the "
                    "memory of the CPU") from error
    try:
        array = np.asarray(X)
    except ValueError:
        # Rows of different lengths, most likely.
        if isinstance(X, (list, tuple)):
            return _stacked(X)
        raise
    if array.ndim == 0 and array.dtype == object:
        raise TypeError(f"{type(X).__name__}; expected a matrix: an array, a tensor, a frame or a column of lists")
    return array


def _numbers(array: np.ndarray) -> np.ndarray:
    """An array of objects, such as a column of lists, as numbers."""
    if array.ndim == 1 and not all(map(np.isscalar, array)):
        return _stacked(array)
    if any(issubclass(kind, _NO_NUMBERS) for kind in set(map(type, array.flat))):
        place, shown = next(
            (place, element) for place, row in enumerate(np.atleast_1d(array)) for element in np.ravel(row)
            if isinstance(element, _NO_NUMBERS))
        raise TypeError(f"row {place}: {shown!r}; expected real numbers")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        for place, row in enumerate(array):
            try:
                np.asarray(row, np.float64)
            except (TypeError, ValueError):
                raise type(error)(f"row {place}: {cut(str(error), 90)}; expected numbers") from None
        raise


def _stacked(rows: Iterable[Any]) -> np.ndarray:
    """Rows that are arrays or lists of their own."""
    stacked: list[np.ndarray] = []
    for place, given in enumerate(rows):
        if is_missing(given):
            raise _missing_row(place, repr(given))
        what = shown(given) if np.isscalar(given) else f"a {type(given).__name__}"
        row = np.asarray(given) if np.isscalar(given) else _array(given)
        if row.dtype.kind not in "fiub" or row.ndim != 1:
            raise ValueError(f"row {place}: {what}; expected a row of numbers")
        if stacked and len(row) != len(stacked[0]):
            raise ValueError(
                f"row {place} has {len(row)} numbers, but row 0 has {len(stacked[0])}; expected rows of "
                "equal length")
        stacked.append(row)
    return np.stack(stacked)


def _tensor(X: Any) -> np.ndarray:
    if X.layout.__repr__() != "torch.strided":
        raise TypeError(f"sparse input is not supported: a tensor of layout {X.layout}; expected X.to_dense()")
    if X.device.type != "cpu":
        raise TypeError(f"a tensor on {X.device}; expected X.cpu()")
    X = X.detach()
    # NumPy has neither bfloat16 nor types of 8 bits; float32 holds their numbers exactly.
    if str(X.dtype).startswith(("torch.bfloat16", "torch.float8")):
        X = X.float()
    return X.resolve_conj().resolve_neg().numpy()


def _missing_row(row: int, what: str) -> ValueError:
    return ValueError(
        f"row {row} is {what}; expected a row of numbers. Highland(invalid_rows='singleton') makes such a row a cluster "
        "of its own")


def _columns_error(names: list[str], lists: list[str]) -> TypeError:
    """Of columns without numbers, some of which may be of lists."""
    listed = ", ".join(map(shown, names[:3])) + (", ..." if len(names) > 3 else "")
    hint = f", or a single column of lists, such as X[{shown(lists[0])}]" if lists else f"; leave {listed} out"
    return TypeError(f"columns without numbers: {listed}; expected numbers in every column{hint}")


def _pandas(X: Any) -> np.ndarray:
    if X.ndim == 1:
        return X.to_numpy()
    others = [str(name) for name, dtype in zip(X.columns, X.dtypes) if dtype.kind not in "fiub"]
    if others:
        if X.shape[1] == 1:
            return X.iloc[:, 0].to_numpy()
        array = X.to_numpy()
        if array.dtype != object:
            # All are complex, or dates; `rows` refuses them.
            return array
        try:
            return _numbers(array)
        except (TypeError, ValueError):
            raise _columns_error(others, _lists_of_pandas(X)) from None
    if all(isinstance(dtype, np.dtype) for dtype in X.dtypes):
        return X.to_numpy()
    # What is missing becomes NaN, which the library refuses with the row.
    return X.to_numpy(np.float64, na_value=np.nan)


def _lists_of_pandas(X: Any) -> list[str]:
    """The columns of a frame whose first value is a list or an array."""
    firsts = [(name, X.iloc[:, place].dropna().head(1).tolist()) for place, name in enumerate(X.columns)]
    return [str(name) for name, first in firsts if first and isinstance(first[0], (list, tuple, np.ndarray))]


def _polars(X: Any) -> np.ndarray:
    if hasattr(X, "collect"):
        raise TypeError("a query of polars that has not been run; expected X.collect()")
    if hasattr(X, "columns"):
        others = [name for name, dtype in X.schema.items() if not (dtype.is_numeric() or str(dtype) == "Boolean")]
        if not others:
            return X.to_numpy()
        if len(X.columns) > 1:
            raise _columns_error(others, [name for name, dtype in X.schema.items() if dtype.is_nested()])
        X = X.to_series()
    if X.dtype.is_nested():
        if X.null_count():
            raise _missing_row(X.is_null().arg_max(), "null")
        lists = X.arr if str(X.dtype).startswith("Array") else X.list
        width = _common_length(lists.len().to_numpy())
        return lists.explode().to_numpy().reshape(len(X), width)
    return X.to_numpy()


def _common_length(lengths: np.ndarray) -> int:
    different = np.flatnonzero(lengths != lengths[0]) if len(lengths) else lengths
    if len(different):
        row = int(different[0])
        raise ValueError(
            f"row {row} has {lengths[row]} numbers, but row 0 has {lengths[0]}; expected rows of equal length")
    return int(lengths[0]) if len(lengths) else 0


def _arrow(X: Any) -> np.ndarray:
    try:
        import pyarrow as pa

        compute: Any = importlib.import_module("pyarrow.compute")
    except ImportError:
        raise TypeError("Arrow data need pyarrow: pip install pyarrow") from None
    # An array has only one of the two protocols, a chunked one the other.
    column: Any = pa.chunked_array(X) if hasattr(X, "__arrow_c_stream__") else pa.chunked_array([pa.array(X)])
    if pa.types.is_struct(column.type):
        fields = list(column.type)
        others = [field.name for field in fields if not _is_number(field.type)]
        parts = [compute.struct_field(column, [place]) for place in range(len(fields))]
        if not others:
            return np.column_stack([part.to_numpy() for part in parts])
        if len(fields) > 1:
            raise _columns_error(others, [field.name for field in fields if hasattr(field.type, "value_type")])
        column = parts[0]
    if column.null_count:
        row = compute.index(column.is_null(), True).as_py()
        raise _missing_row(row, "null")
    # Such as tensors of a fixed shape.
    chunks = [getattr(chunk, "storage", chunk) for chunk in column.chunks]
    if not chunks or not hasattr(chunks[0], "flatten") or not hasattr(chunks[0].type, "value_type"):
        return column.to_numpy()
    width = _common_length(np.concatenate([compute.list_value_length(chunk).to_numpy() for chunk in chunks]))
    values = [chunk.flatten().to_numpy(zero_copy_only=False).reshape(len(chunk), width) for chunk in chunks]
    return values[0] if len(values) == 1 else np.concatenate(values)


def _is_number(arrow_type: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type) or pa.types.is_boolean(arrow_type)
