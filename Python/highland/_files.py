"""Files of embeddings, mapped into memory where they are."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The types of a .safetensors file. NumPy has no bfloat16: BF16 is read into memory as float32.
_TENSOR_TYPES = {"F16": "<f2", "F32": "<f4", "BF16": "<u2", "I8": "i1", "U8": "u1"}

# Records of an .fvecs file whose counts are read together.
_TILE = 65536

_WITH_COUNTS = {".fbin": "<f4", ".u8bin": "u1", ".i8bin": "i1"}


def read(path: str | os.PathLike[str], *, columns: int | None = None) -> NDArray[Any]:
    """The matrix of a file that ``highland cluster`` reads.

    Rows come from the disk when they are used, so a file may be larger than the memory. The array can only be read.
    Of ``.fvecs`` the count of every record is checked, which reads the file once.

    Parameters
    ----------
    path : path
        ``.npy``; ``.fbin``, ``.u8bin`` and ``.i8bin`` (two uint32 with rows and columns, then the numbers);
        ``.fvecs``; ``.safetensors`` with one matrix, which is copied into memory if it is bfloat16; ``.bin``, which
        has nothing but float32.
    columns : int, optional
        Needed for ``.bin``; otherwise refused if the file says another number.

    Returns
    -------
    array of shape (n, columns)
        For `Highland.fit`, `knn_graph` and `train`.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not what its name says.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        array = _npy(path)
    elif suffix in _WITH_COUNTS:
        array = _with_counts(path, np.dtype(_WITH_COUNTS[suffix]))
    elif suffix == ".fvecs":
        array = _fvecs(path)
    elif suffix == ".safetensors":
        array = _safetensors(path)
    elif suffix == ".bin":
        array = _plain(path, columns)
    else:
        raise ValueError(
            f"{path}: expected .npy, .fbin, .u8bin, .i8bin, .fvecs, .safetensors or .bin; Docs/Python.md has recipes "
            "for Parquet, HDF5, Zarr, Lance and faiss")
    if array.ndim != 2:
        raise ValueError(f"{path}: an array of shape {array.shape}; expected two dimensions")
    if columns is not None and array.shape[1] != columns:
        raise ValueError(f"{path}: {array.shape[1]} columns; expected {columns}")
    return array


def _npy(path: pathlib.Path) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: no array of numbers in NumPy's format: {error}") from error


def _mapped(path: pathlib.Path, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array that begins at a byte of a file; of no elements if it is empty, which cannot be mapped."""
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", offset, shape)


def _with_counts(path: pathlib.Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    counts = np.fromfile(path, "<u4", 2)
    size = path.stat().st_size
    if len(counts) < 2 or size != 8 + int(counts[0]) * int(counts[1]) * dtype.itemsize:
        said = f"{counts[0]} rows of {counts[1]} columns" if len(counts) == 2 else "two counts"
        raise ValueError(f"{path}: {size} bytes; expected {said} of {dtype.name}, and nothing else")
    return _mapped(path, dtype, 8, (int(counts[0]), int(counts[1])))


def _fvecs(path: pathlib.Path) -> NDArray[Any]:
    size = path.stat().st_size
    columns = int(next(iter(np.fromfile(path, "<i4", 1)), 0))
    if columns < 1 or size % (4 * columns + 4) != 0:
        raise ValueError(
            f"{path}: {size} bytes that begin with the count {columns}; expected records of a count and as many "
            "float32")
    records = np.memmap(path, "<f4", "r").reshape(-1, columns + 1)
    for start in range(0, len(records), _TILE):
        counts = records[start : start + _TILE, 0].view("<i4")
        other = np.flatnonzero(counts != columns)
        if len(other):
            raise ValueError(
                f"{path}: row {start + other[0]} has {counts[other[0]]} numbers, but row 0 has {columns}; expected records "
                "of equal length")
    return records[:, 1:]


def _safetensors(path: pathlib.Path) -> NDArray[Any]:
    size = path.stat().st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > size - 8:
            raise ValueError(f"{path}: no file of safetensors: a header of {length} bytes in {size}")
        try:
            header = json.loads(file.read(length))
            tensors = {
                name: (entry["dtype"], tuple(entry["shape"]), entry["data_offsets"])
                for name, entry in header.items() if name != "__metadata__"}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: no file of safetensors: {error}") from error
    matrices = {name: tensor for name, tensor in tensors.items() if len(tensor[1]) == 2}
    if len(matrices) != 1:
        found = ", ".join(f"{name} {list(shape)}" for name, (_, shape, _) in list(tensors.items())[:5])
        raise ValueError(f"{path}: {found or 'no tensors'}; expected one tensor of two dimensions")
    ((name, (dtype, shape, offsets)),) = matrices.items()
    if dtype not in _TENSOR_TYPES:
        raise ValueError(f"{path}: {name} is of {dtype}; expected {', '.join(_TENSOR_TYPES)}")
    elements = np.dtype(_TENSOR_TYPES[dtype])
    if offsets[1] - offsets[0] != shape[0] * shape[1] * elements.itemsize or 8 + length + offsets[1] > size:
        raise ValueError(f"{path}: {name} of {dtype} {list(shape)} at bytes {offsets}, which do not fit")
    array = _mapped(path, elements, 8 + length + offsets[0], shape)
    return (array.astype(np.uint32) << np.uint32(16)).view(np.float32) if dtype == "BF16" else array


def _plain(path: pathlib.Path, columns: int | None) -> NDArray[Any]:
    if columns is None or columns < 1:
        raise ValueError(f"{path}: the number of columns is not in the file; expected read(path, columns=...)")
    size = path.stat().st_size
    if size % (4 * columns) != 0:
        raise ValueError(f"{path}: {size} bytes; expected rows of {columns} float32")
    return _mapped(path, np.dtype("<f4"), 0, (size // (4 * columns), columns))
