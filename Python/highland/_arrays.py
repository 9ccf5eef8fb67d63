"""Rows of embeddings in whatever form people hold them, as a matrix of the C library."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._library import Matrix

_DTYPES = {
    np.dtype(name): code
    for code, name in enumerate(
        ["f4", "f2", "f8", "i1", "u1", "?", "i2", "u2", "i4", "u4", "i8", "u8"])
}


def rows(X: Any) -> np.ndarray:
    """Embeddings as an array of two dimensions, without a copy where that is possible.

    Raises
    ------
    TypeError, ValueError
        For what is no matrix of real numbers; says why.
    """
    if hasattr(X, "tocsr") or type(X).__module__.startswith("scipy.sparse"):
        raise TypeError(
            "sparse input is not supported: a sparse matrix was passed, but neighbours are searched among "
            "dense rows; reduce it first (TruncatedSVD), or use X.toarray() if it is small")
    array = _array(X)
    if np.ma.isMaskedArray(array):
        raise TypeError("masked arrays are not supported; fill or drop what is masked")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {array.dtype}")
    if array.dtype == object:
        # Such as a column of lists.
        if array.ndim == 1 and len(array):
            array = np.stack([np.asarray(row) for row in array])
        array = array.astype(np.float64)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in _DTYPES:
        raise TypeError(f"elements of type {array.dtype}; expected float16, 32 or 64, or integers")
    if array.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: rows are embeddings. Reshape your data.")
    if array.shape[0] == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if array.shape[1] == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    return array


def _array(X: Any) -> np.ndarray:
    if isinstance(X, np.ndarray):
        return X
    module = type(X).__module__.partition(".")[0]
    if module == "torch":
        X = X.detach()
        if X.device.type != "cpu":
            raise TypeError(f"a tensor on {X.device}; expected X.cpu()")
        # NumPy has no bfloat16; float32 holds its numbers exactly.
        return (X.float() if str(X.dtype) == "torch.bfloat16" else X).numpy()
    if module in ("pandas", "polars"):
        return X.to_numpy()
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
        return _arrow(X)
    if hasattr(X, "__dlpack__") and not hasattr(X, "__array_interface__"):
        return np.from_dlpack(X)
    return np.asarray(X)


def _arrow(X: Any) -> np.ndarray:
    try:
        import pyarrow as pa
    except ImportError:
        raise TypeError("Arrow data need pyarrow: pip install pyarrow") from None
    # An array has only one of the two protocols, a chunked one the other.
    column = pa.chunked_array(X) if hasattr(X, "__arrow_c_stream__") else pa.array(X)
    if pa.types.is_struct(column.type):
        raise TypeError("a table; expected one of its columns")
    if column.null_count:
        raise ValueError(f"{column.null_count} rows of the column are null")
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    lists = column
    if not pa.types.is_fixed_size_list(column.type):
        lengths = set(np.diff(column.offsets.to_numpy()))
        if len(lengths) > 1:
            raise ValueError("rows of different lengths")
    values = lists.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), -1)


def matrix(array: np.ndarray) -> Matrix:
    """The description of an array for the library; it lives as long as the array does."""
    return Matrix(
        array.ctypes.data, array.shape[0], array.shape[1], array.strides[0], array.strides[1],
        _DTYPES[array.dtype])
