"""The command ``highland`` is a function of the library."""

import subprocess
import sys

import numpy as np

import highland
from highland import _library

PROGRAM = """
import ctypes, sys
arguments = [argument.encode() for argument in ["highland", *sys.argv[2:]]]
ctypes.CDLL(sys.argv[1]).highland_main(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments))
print("not reached")
"""


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, _library.library._name, *map(str, arguments)],
        capture_output=True, text=True, **options)


def test_ends_the_process_as_the_program_does():
    version = run("--version")
    assert (version.returncode, version.stdout) == (0, f"{highland.__version__}\n")
    wrong = run("cluster", "features.npy", "--no-such-option")
    assert wrong.returncode == 64
    assert "Unknown option '--no-such-option'" in wrong.stderr


def test_clusters(tmp_path):
    X = np.random.default_rng(0).normal(size=(10, 16))[np.arange(200) % 10].astype(np.float32)
    X += np.random.default_rng(1).normal(scale=0.1, size=X.shape)
    np.save(tmp_path / "features.npy", X)
    ended = run("cluster", "features.npy", "--output", "labels.npy", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert np.array_equal(np.load(tmp_path / "labels.npy"), highland.Highland().fit_predict(X))
