"""Writes the files beside it, as NumPy and the library safetensors do."""

import pathlib

import numpy as np
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent
x = (np.arange(21, dtype="f4").reshape(7, 3) - 4) / 8  # row r is (3r - 4, 3r - 3, 3r - 2) / 8
small = (np.arange(21) % 11 * 20).astype("u1").reshape(7, 3)

np.savez(here / "one.npz", x=x, labels=np.arange(7))
np.savez(here / "several.npz", x=x, turned=np.asfortranarray(x.astype(">f8")), small=small, cube=x.reshape(7, 3, 1))
np.savez_compressed(here / "compressed.npz", x=x)
np.savez(here / "objects.npz", x=x, names=np.array([{}, None], dtype=object))
save_file({"x": x, "half": x.astype("f2"), "bias": x[0]}, here / "several.safetensors")


def records(numbers, kind):
    count = np.full((len(numbers), 1), numbers.shape[1], "<i4").view("u1").reshape(len(numbers), 4)
    return np.hstack([count, np.ascontiguousarray(numbers.astype(kind)).view("u1").reshape(len(numbers), -1)])


records(small, "u1").tofile(here / "x.bvecs")
records(np.arange(-5, 16).reshape(7, 3) * 1000, "<i4").tofile(here / "x.ivecs")
np.save(here / "whole.npy", np.array([3, -1, 3, 2**40], "f8"))
np.save(here / "half.npy", np.array([[3], [-1], [2.5], [4]], "f2"))
