import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import highland


def points(centres=12, members=16, columns=24, seed=1, spread=0.2):
    generator = np.random.default_rng(seed)
    truth = np.arange(centres * members) % centres
    middles = generator.uniform(-1, 1, (centres, columns))
    return (middles[truth] + spread * generator.uniform(-1, 1, (len(truth), columns))).astype("f4"), truth


X, TRUTH = points()
LABELS = highland.Highland().fit_predict(X)


def test_groups_are_found_and_described():
    model = highland.Highland().fit(X)
    assert highland.evaluate(model.labels_, TRUTH)["pairwise"]["f"] == 1
    assert model.labels_.dtype == np.int64 and model.labels_[0] == 0
    assert model.probabilities_.min() > 0 and model.probabilities_.max() == 1
    assert np.array_equal(model.cluster_layers_[-1], model.labels_)
    assert model.report_["clusterCount"] == 12 and model.n_features_in_ == 24


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads):
    assert np.array_equal(highland.Highland(threads=threads).fit_predict(X), LABELS)


def test_layers_refine_each_other():
    big, _ = points(60, 20, spread=0.6)
    layers = highland.Highland(method="network", granularity="coarser").fit(big).cluster_layers_
    for finer, coarser in zip(layers, layers[1:]):
        pairs = set(zip(finer.tolist(), coarser.tolist()))
        assert len(pairs) == finer.max() + 1 > coarser.max() + 1


@pytest.mark.parametrize(
    "view",
    [np.asfortranarray, lambda x: x.astype("f8"), lambda x: x.astype(">f4"),
     lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x.tolist()])
def test_layout_and_width_change_nothing(view):
    assert np.array_equal(highland.Highland().fit_predict(view(X)), LABELS)


def test_views_are_read_where_they_are():
    reversed_labels = highland.Highland().fit_predict(X[::-1])
    assert np.array_equal(reversed_labels, highland.Highland().fit_predict(X[::-1].copy()))


@pytest.mark.parametrize("dtype", ["f2", "i1", "u1", "i2"])
def test_short_numbers_are_as_their_float32(dtype):
    numbers = (X * 50 + (128 if dtype == "u1" else 0)).astype(dtype)
    assert np.array_equal(
        highland.Highland().fit_predict(numbers), highland.Highland().fit_predict(numbers.astype("f4")))


def test_files_are_read_where_they_are(tmp_path):
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "x.fbin").write_bytes(np.array(X.shape, "<u4").tobytes() + X.tobytes())
    for name in ["x.npy", "x.fbin"]:
        rows = highland.read(tmp_path / name)
        assert isinstance(rows, np.memmap)
        assert np.array_equal(highland.Highland().fit_predict(rows), LABELS)


def test_neighbours_begin_with_the_row_itself():
    indices, similarities = highland.knn_graph(X, 5)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert np.array_equal(indices[:, 0], np.arange(len(X))) and (similarities[:, 0] == 1).all()
    expected = np.sort(unit @ unit.T - 2 * np.eye(len(X)), axis=1)[:, ::-1][:, :4]
    assert np.allclose(similarities[:, 1:], expected, atol=1e-5)
    few, _ = highland.knn_graph(X[:3], 5)
    assert (few[:, 3:] == -1).all()


def test_a_model_is_trained_pickled_and_used(tmp_path):
    names = [f"group {label:02}" for label in TRUTH]
    model = highland.train(X, names, epochs=2, graphs=2, width=8)
    assert model == highland.train(X, TRUTH, epochs=2, graphs=2, width=8)
    model.save(tmp_path / "m.safetensors")
    labels = highland.Highland(model=pickle.loads(pickle.dumps(model))).fit_predict(X)
    assert np.array_equal(highland.Highland(model=tmp_path / "m.safetensors").fit_predict(X), labels)


def test_a_fitted_estimator_is_pickled():
    copy = pickle.loads(pickle.dumps(highland.Highland(k=8).fit(X)))
    assert copy.k == 8 and np.array_equal(copy.labels_, highland.Highland(k=8).fit_predict(X))


@pytest.mark.parametrize(
    "options, text",
    [({"k": 1, "method": "flow"}, "k = 1"), ({"k": -3}, "k = -3"), ({"method": "guess"}, "flow, network or auto"),
     ({"tau": 2.0}, "0 ... 1"), ({"granularity": "big"}, "granularity"), ({"n_clusters": 3}, "n_clusters"),
     ({"threads": -1}, "threads"), ({"model": b"no model"}, "model"), ({"model": "/no/such/file"}, "cannot open"),
     ({"progress": "loud"}, "progress")])
def test_options_that_make_no_sense_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        highland.Highland(**options).fit(X)


def test_rows_that_make_no_sense_are_refused():
    bad = X.copy()
    bad[7, 3] = np.nan
    with pytest.raises(ValueError, match="row 7"):
        highland.Highland().fit(bad)
    for rows, text in [(X[0], "2D"), (X[:0], "0 sample"), (X[:, :0], "0 feature"), (X + 1j, "Complex")]:
        with pytest.raises(ValueError, match=text):
            highland.Highland().fit(rows)
    assert list(highland.Highland().fit_predict(X[:1])) == [0]
    highland.Highland(k=10**6).fit(X)


def test_progress_is_told_and_its_errors_are_raised():
    told = []
    highland.Highland(progress=lambda *what: told.append(what)).fit(X)
    assert told and all(0 <= fraction <= 1 for _, _, fraction in told)

    def fail(*_):
        raise LookupError("stop")

    with pytest.raises(LookupError):
        highland.Highland(progress=fail).fit(X)


def test_an_interrupt_ends_the_work_within_a_second():
    many = np.random.default_rng(0).normal(size=(40_000, 128)).astype("f4")
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        highland.Highland().fit(many)
    assert time.monotonic() - start < 2.0


def test_a_child_of_fork_is_told_to_spawn():
    code = """
import os, numpy as np, highland
X = np.random.default_rng(0).normal(size=(50, 8))
highland.Highland().fit(X)
if os.fork() == 0:
    try:
        highland.Highland().fit(X)
    except RuntimeError as error:
        os._exit(7 if "spawn" in str(error) else 1)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_parameters_are_those_of_scikit_learn():
    model = highland.Highland(k=5).set_params(granularity="finer")
    assert model.get_params()["granularity"] == "finer" and "k=5" in repr(model)
    with pytest.raises(ValueError, match="Invalid parameter"):
        model.set_params(clusters=3)


def test_other_libraries_hand_in_their_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    model = highland.Highland().fit(frame)
    assert np.array_equal(model.labels_, LABELS) and list(model.feature_names_in_) == list(frame.columns)


def test_arrow_lists_are_rows():
    arrow = pytest.importorskip("pyarrow")
    column = arrow.FixedSizeListArray.from_arrays(arrow.array(X.ravel()), X.shape[1])
    for rows in [column, arrow.chunked_array([column[:50], column[50:]]), arrow.array(X.tolist(), arrow.list_(arrow.float32()))]:
        assert np.array_equal(highland.Highland().fit_predict(rows), LABELS)


def test_sparse_rows_are_refused_with_a_reason():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match="sparse"):
        highland.Highland().fit(sparse.csr_matrix(X))
