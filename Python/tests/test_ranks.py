"""Rows that are spread over the ranks of mpi4py: the test runs itself as their program."""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sets import points

import highland

X, _ = points(centres=20, members=20)

# How many rows each rank hands in, of those of `X` in order; the last has the rest.
SHARES = {"equal": [134, 133], "few on the first": [7, 300], "none in the middle": [200, 0]}


def on_ranks(case, *arguments, ranks=3):
    """What each rank of a program told, and how the program ended."""
    pytest.importorskip("mpi4py")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")
    command = ["mpirun", "-n", str(ranks), "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"]
    found = subprocess.run(
        [*command, sys.executable, __file__, case, *arguments], capture_output=True, text=True, timeout=120)
    told = json.loads(found.stdout or "[]")
    if len(told) == 1:
        pytest.skip("mpirun is not that of mpi4py's MPI")
    return told, found


@pytest.mark.parametrize("options", [{}, {"method": "network"}, {"k": 8}, {"n_clusters": 9}], ids=str)
@pytest.mark.parametrize("shares", SHARES)
def test_labels_are_those_of_one_process(shares, options):
    alone = highland.Highland(**options).fit(X)
    ranks, found = on_ranks("fit", shares, json.dumps(options))
    assert found.returncode == 0, found.stderr
    assert sum((line["labels"] for line in ranks), []) == alone.labels_.tolist()
    assert [len(line["layers"]) for line in ranks] == [len(alone.cluster_layers_)] * 3
    for level, layer in enumerate(alone.cluster_layers_):
        assert sum((line["layers"][level] for line in ranks), []) == layer.tolist()
    assert {line["clusterCount"] for line in ranks} == {alone.report_["clusterCount"]}


def test_levels_are_those_of_one_process(tmp_path):
    highland.Highland(hierarchy=tmp_path / "alone").fit(X)
    _, found = on_ranks("fit", "few on the first", json.dumps({"hierarchy": str(tmp_path / "ranks")}))
    assert found.returncode == 0, found.stderr
    files = sorted(path.relative_to(tmp_path / "alone") for path in (tmp_path / "alone").rglob("*.*"))
    assert len(files) > 6
    assert files == sorted(path.relative_to(tmp_path / "ranks") for path in (tmp_path / "ranks").rglob("*.*"))
    for name in files:
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "ranks" / name).read_bytes(), name


@pytest.mark.parametrize("dtype", ["f8", "i1", "f2"])
def test_numbers_stay_as_they_are(dtype):
    alone = highland.Highland().fit_predict(typed(dtype))
    ranks, found = on_ranks("fit", "few on the first", "{}", dtype)
    assert found.returncode == 0, found.stderr
    assert sum((line["labels"] for line in ranks), []) == alone.tolist()


@pytest.mark.parametrize("case, message", [
    ("zeros", "features: 1 of 400 rows have no direction (all zeros, or NaN or infinite values): row 141"),
    ("columns", "features: rank 1 has 23 columns of float32, rank 0 24 columns of float32"),
    ("shape", "Expected 2D array, got 1D array instead"),
    ("options", "k = 9 on rank 1, 8 on rank 0: expected the same"),
    ("word", "method 'fast': expected flow, network or auto"),
])
def test_an_error_on_one_rank_is_raised_on_all(case, message):
    ranks, found = on_ranks(case)
    assert found.returncode == 0, found.stderr
    assert [line["error"].startswith(f"ValueError: {message}") for line in ranks] == [True] * 3, ranks


def test_a_progress_function_that_raises_ends_the_job():
    _, found = on_ranks("progress")
    assert found.returncode != 0
    assert "error: rank 1 of 3: cancelled; the other ranks wait, so the job ends" in found.stderr


def test_there_is_no_predict_afterwards():
    ranks, _ = on_ranks("predict")
    assert [line["error"] for line in ranks] == [
        "ValueError: predict after a fit with comm: expected a fit without it"] * 3


def test_what_is_no_communicator_is_refused():
    with pytest.raises(TypeError, match="comm='world': expected a communicator of mpi4py"):
        highland.Highland(comm="world").fit(X)


def typed(dtype):
    return (100 * X).astype(dtype)


def own_rows(array, shares, comm):
    ends = np.cumsum([0, *shares, len(array) - sum(shares)])
    return array[ends[comm.rank] : ends[comm.rank + 1]]


def program(case, *arguments):
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.size == 1:
        print("[{}]")
        return
    told = comm.gather(fitted(comm, *arguments) if case == "fit" else failed(comm, case))
    if comm.rank == 0:
        print(json.dumps(told))


def fitted(comm, shares, options, dtype=None):
    rows = own_rows(typed(dtype) if dtype else X, SHARES[shares], comm)
    model = highland.Highland(comm=comm, **json.loads(options)).fit(rows)
    return {
        "labels": model.labels_.tolist(), "clusterCount": model.report_["clusterCount"],
        "layers": [layer.tolist() for layer in model.cluster_layers_]}


def failed(comm, case):
    rows = own_rows(X, SHARES["equal"], comm).copy()
    options = {}
    if case == "word":
        options["method"] = "fast"
    if comm.rank == 1:
        if case == "zeros":
            rows[7] = 0
        if case == "columns":
            rows = rows[:, 1:]
        if case == "shape":
            rows = rows[0]
    if case == "options":
        options["k"] = 8 if comm.rank == 0 else 9
    if case == "progress" and comm.rank == 1:
        options["progress"] = lambda *state: 1 / 0
    model = highland.Highland(comm=comm, **options)
    try:
        model.fit(rows)
        if case == "predict":
            model.predict(rows)
        error = None
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    return {"error": error}


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    program(*sys.argv[1:])
