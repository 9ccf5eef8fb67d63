"""The code of Docs/Python.md runs as it stands there."""

import importlib
import pathlib
import re

import numpy as np
import pytest
from sets import points

import highland

TUTORIAL, RECIPES = (pathlib.Path(__file__).parents[2] / "Docs/Python.md").read_text().split("## Recipes\n")
X, _ = points()


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(blocks(TUTORIAL)) > 5
    exec("\n".join(blocks(TUTORIAL)), {})


def lists():
    arrow = pytest.importorskip("pyarrow")
    return arrow.FixedSizeListArray.from_arrays(arrow.array(X.ravel()), X.shape[1])


def write_parquet(parquet):
    table = importlib.import_module("pyarrow").table({"id": range(len(X)), "embedding": lists()})
    parquet.write_table(table, "points.parquet")


def write_h5py(h5py):
    with h5py.File("points.h5", "w") as file:
        file["train"] = X


def write_zarr(zarr):
    array = zarr.open_array("points.zarr", mode="w", shape=X.shape, chunks=(50, X.shape[1]), dtype="f4")
    array[:] = X


def write_lance(lance):
    lance.write_dataset(importlib.import_module("pyarrow").table({"vector": lists()}), "points.lance")


def write_faiss(faiss):
    index = faiss.IndexFlatIP(X.shape[1])
    index.add(X)
    faiss.write_index(index, "points.faiss")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("recipe", blocks(RECIPES), ids=lambda recipe: recipe.split()[1])
def test_recipes_run(recipe, tmp_path, monkeypatch):
    name = recipe.split()[1]
    library = pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    globals()[f"write_{name.rpartition('.')[2]}"](library)
    result = {"highland": highland}
    exec(recipe, result)
    rows = result["X"]
    found = rows if isinstance(rows, np.ndarray) else np.stack(rows.to_pylist())
    assert np.array_equal(found, X)
    assert np.array_equal(result["labels"], highland.Highland().fit_predict(X))
