import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()
# Seconds within which an interrupt is heard; on a machine that is busy with something else nobody can promise.
PATIENCE = 1.0 if os.getloadavg()[0] < 2 * (os.cpu_count() or 1) else 30.0
LABELS = highland.Highland().fit_predict(X)


def test_groups_are_found_and_described():
    model = highland.Highland().fit(X)
    assert highland.evaluate(model.labels_, TRUTH)["pairwise"]["f"] == 1
    assert model.labels_.dtype == np.int64 and model.labels_[0] == 0
    assert not hasattr(highland.Highland(), "n_clusters_")
    assert model.probabilities_.min() > 0 and model.probabilities_.max() == 1
    assert np.array_equal(model.cluster_layers_[-1], model.labels_)
    assert model.n_clusters_ == model.report_["clusterCount"] == 12 and model.n_features_in_ == 24


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads):
    assert np.array_equal(highland.Highland(threads=threads).fit_predict(X), LABELS)


def test_layers_refine_each_other():
    big, _ = points(60, 20, spread=0.6)
    layers = highland.Highland(method="network", granularity="coarser").fit(big).cluster_layers_
    for finer, coarser in zip(layers, layers[1:]):
        pairs = set(zip(finer.tolist(), coarser.tolist()))
        assert len(pairs) == finer.max() + 1 > coarser.max() + 1


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


def test_a_model_may_transform_rows_and_predicts_as_it_fits():
    rng = np.random.default_rng(3)
    truth = np.arange(288) % 24
    # Rows of one identity differ more in the last columns than identities do in the first.
    rows = rng.normal(size=(24, 16))[truth] * (np.arange(16) < 6) + rng.normal(size=(288, 16)) * np.repeat(
        [0.25, 1.5], [12, 4])
    rows = rows.astype(np.float32)
    model = highland.train(rows, truth, k=6, epochs=3, graphs=2, width=8)
    anywhere = highland.train(rows, truth, k=6, epochs=3, graphs=2, width=8, transform=False)
    assert b"transform.axes" in model.data and b"transform.axes" not in anywhere.data
    fitted = highland.Highland(model=model).fit(rows)
    assert np.array_equal(fitted.predict(rows), fitted.labels_)
    narrow = rows[:, :8]
    with pytest.raises(ValueError, match="rows of 16 columns, and the embeddings have 8"):
        highland.Highland(model=model).fit(narrow)
    highland.Highland(model=anywhere).fit(narrow)


@pytest.mark.parametrize(
    "options, text",
    [({"k": 1, "method": "flow"}, "k = 1"), ({"k": -3}, "k = -3"), ({"method": "guess"}, "flow, network or auto"),
     ({"tau": 2.0}, "0 ... 1"), ({"granularity": "big"}, "granularity"), ({"n_clusters": 0}, "n_clusters = 0"),
     ({"n_clusters": (4, 2)}, "least, most"), ({"n_clusters": (1, 2, 3)}, "least, most"),
     ({"n_clusters": 3, "method": "flow"}, "n_clusters with method='flow'"),
     ({"k": 0}, "k = 0"), ({"k": 10**12}, "below"), ({"recall": 0}, "recall = 0"), ({"search": "exact", "recall": 0.9}, "recall is of approximate searches"), ({"search": "fast"}, "exact, approximate"),
     ({"invalid_rows": "drop"}, "error or singleton"), ({"tau": float("nan")}, "tau = nan"),
     ({"threads": -1}, "threads"), ({"model": b"no model"}, "model"),
     ({"progress": "loud"}, "progress")])
def test_options_that_make_no_sense_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        highland.Highland(**options).fit(X)


@pytest.mark.parametrize("name", ["k", "threads", "tau", "recall", "model", "n_clusters", "hierarchy"])
def test_options_of_another_type_are_named(name):
    with pytest.raises(TypeError, match=name):
        highland.Highland(**{name: [1.5, "x"]}).fit(X)


def test_labels_that_make_no_sense_are_refused():
    for labels, text in [(TRUTH[:5], "y has 5 labels, but X has 192"), (0 * TRUTH, "same label"), (X, "one label per row")]:
        with pytest.raises(ValueError, match=text):
            highland.train(X, labels)
    with pytest.raises(ValueError, match="expected as many"):
        highland.evaluate(TRUTH, TRUTH[1:])
    assert highland.evaluate(["a", "b", "a"], [7.0, 1.0, 7.0])["nmi"] == 1


def test_few_rows_are_clusters():
    assert highland.Highland().fit_predict(X[:1]).tolist() == [0]
    assert highland.Highland(k=10**6).fit(X).n_features_in_ == 24


def test_progress_is_told_and_its_errors_are_raised():
    told = []
    highland.Highland(progress=lambda *what: told.append(what)).fit(X)
    assert told and all(0 <= fraction <= 1 for _, _, fraction in told)

    def fail(*_):
        raise LookupError("stop")

    with pytest.raises(LookupError):
        highland.Highland(progress=fail).fit(X)


def test_an_interrupt_ends_the_work_within_a_second():
    # A shell has the programs that it runs in the background ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    many = np.random.default_rng(0).normal(size=(40_000, 128)).astype("f4")
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            highland.Highland().fit(many)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 1.0 + PATIENCE


def test_an_interrupt_ends_the_program_within_a_second():
    code = """
import numpy as np, highland
X = np.random.default_rng(0).normal(size=(40_000, 128)).astype("f4")
print("begun", flush=True)
highland.Highland().fit(X)
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert program.stdout.readline() == "begun\n"
    time.sleep(0.5)
    program.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, complaint = program.communicate(timeout=60)
    assert time.monotonic() - start < PATIENCE
    # As Python ends for Ctrl-C: by the signal, with a trace, and nothing else.
    assert program.returncode == -signal.SIGINT and complaint.endswith("KeyboardInterrupt\n")


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
