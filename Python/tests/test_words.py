"""Options, and what is said of them and of the work."""

import io
import os
import pickle
import sys
import types

import numpy as np
import pytest
from sets import points

import highland
from highland import _library, _ranks, _words

X, TRUTH = points()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_line_of_progress_says_what_is_done(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "tqdm", None)

    def said(work):
        terminal.seek(0)
        terminal.truncate()
        result = work()
        return result, terminal.getvalue()

    model, text = said(lambda: highland.Highland(k=8).fit(X))
    assert "clustering, level 0: " in text
    for work, word in [
        (lambda: model.predict(X), "predicting: "), (lambda: highland.knn_graph(X, 5), "searching: "),
        (lambda: highland.train(X, TRUTH, epochs=1, graphs=1, width=8), "training: ")]:
        text = said(work)[1]
        assert word in text and "clustering" not in text


def test_a_terminal_shows_a_bar_where_tqdm_is_installed(monkeypatch):
    told = []

    class Bar:
        desc = ""

        def __init__(self, total, **_):
            told.append(total)

        def set_description_str(self, text, refresh):
            self.desc = text

        def reset(self):
            self.n = 0

        def refresh(self):
            told.append((self.desc, self.n))

        def close(self):
            told.append("closed")

    monkeypatch.setitem(sys.modules, "tqdm", types.SimpleNamespace(tqdm=Bar))
    monkeypatch.setattr(sys, "stderr", Terminal())
    highland.Highland(k=8).fit(X)
    assert told[0] == 100 and told[-1] == "closed" and told[1][0].startswith("clustering, level 0: ")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    told.clear()
    highland.Highland(k=8).fit(X)
    assert not told and not sys.stderr.getvalue()


def test_messages_show_the_beginnings_of_values():
    text = str(X[0].tolist() * 100)
    for rows in [np.array([text, text], object), np.array([X[0], text], object), text, [[text, text]]]:
        with pytest.raises((TypeError, ValueError)) as caught:
            highland.Highland().fit(rows)
        assert len(str(caught.value)) < 250 and "..." in str(caught.value)
    for options in [{"k": text}, {"tau": text}, {"model": [text]}]:
        with pytest.raises(TypeError) as caught:
            highland.Highland(**options).fit(X)
        assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    "message, expected",
    [("works only with that k; leave -k 8 out", "works only with that k; leave k=8 out"),
     ("the model's context (-k)", "the model's context (k)"), ("Another --seed or a smaller --width may help", "Another seed or a smaller width may help"),
     ("--invalid-rows singleton", "invalid_rows singleton"), ("--clusters 3.", "n_clusters=3."),
     ("/data/my-k 8/x--seed.npy: cannot open", "/data/my-k 8/x--seed.npy: cannot open"), ("--tau-by-silhouette", "--tau-by-silhouette")])
def test_options_have_the_names_of_parameters(message, expected):
    assert _words.in_python(message) == expected


def test_errors_of_the_library_speak_of_parameters(monkeypatch):
    taken = _library.take_text
    monkeypatch.setattr(_library, "take_text", lambda memory: taken(memory) and "leave -k 1 out")
    with pytest.raises(ValueError, match="leave k=1 out"):
        highland.Highland(k=1, method="flow").fit(X)


@pytest.mark.parametrize("name", ["tau", "recall", "k"])
def test_texts_are_no_numbers(name):
    with pytest.raises(TypeError, match=f"{name} = '0.5'"):
        highland.Highland(**{name: "0.5"}).fit(X)


def test_arrays_as_parameters_are_shown():
    assert repr(highland.Highland(n_clusters=np.array([2, 60]))) == "Highland(n_clusters=array([ 2, 60]))"


def test_threads_are_no_more_than_openmp_may_have(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for limit, expected in [("3", 3), ("2,4", 2), (" 5 ", 5), ("64", 8), ("0", 0), ("-2", 0), ("many", 0), ("", 0)]:
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        assert _library.thread_count(None) == expected
        assert _library.thread_count(6) == 6
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert _library.thread_count(None) == 0
    with pytest.raises(ValueError, match="threads = -1: .*None stands for all"):
        _library.thread_count(-1)


def test_the_variable_limits_what_the_library_is_told(monkeypatch):
    told = []
    called = _library.call

    def call(name, *arguments, **named):
        told.extend(argument.threads for argument in arguments if hasattr(argument, "threads"))
        called(name, *arguments, **named)

    monkeypatch.setattr(_library, "call", call)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    model = highland.Highland(k=8).fit(X)
    model.predict(X[:3])
    highland.knn_graph(X, 5)
    highland.train(X, TRUTH, epochs=1, graphs=1, width=8)
    assert told == [1] * len(told) and len(told) == 5


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_model_that_is_not_there_is_a_file_that_is_not_found(tmp_path, kind):
    path = kind(tmp_path / "missing.safetensors")
    with pytest.raises(FileNotFoundError, match="missing.safetensors"):
        highland.Highland(model=path).fit(X)
    with pytest.raises(FileNotFoundError, match="missing.safetensors"):
        highland.Model.load(path)


def test_ranks_are_told_of_files_that_are_not_there():
    class Alone:
        def allgather(self, told):
            return [told]

    def prepare():
        raise FileNotFoundError("no model")

    with pytest.raises(FileNotFoundError, match="no model"):
        _ranks.agreed(Alone(), prepare)


def test_a_path_is_no_contents_of_a_model(tmp_path):
    for data in ["own.safetensors", tmp_path / "own.safetensors", None, 3]:
        with pytest.raises(TypeError, match=r"Model.load\(path\)"):
            highland.Model(data)
    model = highland.Model(b"abc")
    assert pickle.loads(pickle.dumps(model)) == model and repr(model) == "Model(3 bytes)"
