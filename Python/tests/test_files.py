"""Files that highland.read maps, and those that are not what their names say."""

import json
import struct

import numpy as np
import pytest
from sets import points

import highland

X, _ = points()
BYTES = (X * 50 + 100).astype("u1")


def tensors(**entries):
    """A file of safetensors: of each name its type, shape and bytes."""
    header, data = {}, b""
    for name, (dtype, shape, contents) in entries.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(contents)]}
        data += contents
    text = json.dumps({"__metadata__": {"made": "by hand"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + data


def counted(array):
    return struct.pack("<II", *array.shape) + array.tobytes()


def records(array):
    counts = np.full((len(array), 1), array.shape[1], "<i4")
    return np.hstack([counts.view("<f4"), array]).tobytes()


@pytest.mark.parametrize(
    "name, contents, expected",
    [("x.fbin", counted(X), X), ("x.u8bin", counted(BYTES), BYTES), ("x.I8BIN", counted(BYTES.view("i1")), BYTES.view("i1")),
     ("x.fvecs", records(X), X), ("x.safetensors", tensors(x=("F32", X.shape, X.tobytes()), n=("F32", [1], b"1234")), X),
     ("half.safetensors", tensors(x=("F16", X.shape, X.astype("f2").tobytes())), X.astype("f2"))])
def test_files_are_mapped(tmp_path, name, contents, expected):
    (tmp_path / name).write_bytes(contents)
    rows = highland.read(tmp_path / name)
    assert isinstance(rows, np.memmap) and rows.dtype == expected.dtype and np.array_equal(rows, expected)
    assert np.array_equal(highland.Highland().fit_predict(rows), highland.Highland().fit_predict(expected))


def test_arrays_of_numpy_are_mapped(tmp_path):
    np.save(tmp_path / "x.npy", X)
    rows = highland.read(str(tmp_path / "x.npy"))
    assert isinstance(rows, np.memmap) and np.array_equal(rows, X)
    assert np.array_equal(highland.knn_graph(rows, 5)[0], highland.knn_graph(X, 5)[0])


def test_plain_numbers_need_their_columns(tmp_path):
    (tmp_path / "x.bin").write_bytes(X.tobytes())
    assert np.array_equal(highland.read(tmp_path / "x.bin", columns=24), X)
    for columns, text in [(None, "columns="), (23, "rows of 23")]:
        with pytest.raises(ValueError, match=text):
            highland.read(tmp_path / "x.bin", columns=columns)


def test_bfloat16_becomes_float32(tmp_path):
    high = X.view("u4") >> 16
    (tmp_path / "x.safetensors").write_bytes(tensors(x=("BF16", X.shape, high.astype("<u2").tobytes())))
    rows = highland.read(tmp_path / "x.safetensors")
    assert rows.dtype == np.float32 and np.array_equal(rows.view("u4"), high << 16)


@pytest.mark.parametrize(
    "name, contents, text",
    [("x.npy", b"not an array", "NumPy's format"), ("x.npy", b"", "NumPy's format"), ("x.fbin", counted(X)[:-1], "expected 192 rows of 24"),
     ("x.fbin", b"123", "two counts"), ("x.u8bin", counted(X), "uint8"), ("x.fvecs", records(X)[:-2], "records"),
     ("x.fvecs", b"", "records"), ("x.fvecs", records(X)[:-100] + struct.pack("<i", 7) + records(X)[-96:], "row 191 has 7 numbers, but row 0 has 24"),
     ("x.fvecs", records(np.ones((1, 2), "f4")) + records(np.ones((1, 5), "f4")) + records(np.ones((1, 2), "f4")), "row 1 has 5"),
     ("x.safetensors", b"", "no file"), ("x.safetensors", struct.pack("<Q", 2) + b"[]", "no file"),
     ("x.safetensors", tensors(x=("F32", [4], b"0" * 16)), r"x \[4\]; expected one"),
     ("x.safetensors", tensors(x=("I64", [1, 2], b"0" * 16)), "I64"),
     ("x.safetensors", tensors(x=("F64", [1, 2], b"0" * 16)), "F64; expected F16, F32, BF16, I8, U8"),
     ("x.safetensors", tensors(x=("F32", [2, 2], b"0" * 15)), "do not fit"), ("x.csv", b"1,2", "recipes")])
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, name, contents, text):
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(ValueError, match=text) as caught:
        highland.read(tmp_path / name)
    assert name in str(caught.value)


def test_shapes_are_checked(tmp_path):
    np.save(tmp_path / "x.npy", X[0])
    with pytest.raises(ValueError, match="two dimensions"):
        highland.read(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(ValueError, match="24 columns; expected 5"):
        highland.read(tmp_path / "x.npy", columns=5)
    with pytest.raises(FileNotFoundError):
        highland.read(tmp_path / "missing.fbin")


def test_libraries_write_what_is_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    safetensors.save_file({"x": X}, tmp_path / "x.safetensors")
    assert np.array_equal(highland.read(tmp_path / "x.safetensors"), X)
