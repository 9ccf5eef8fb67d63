"""New rows get the clusters of a fit."""

import concurrent.futures
import pickle
import threading

import numpy as np
import pytest
from sets import points
from test_command import run as run_command

import highland
from highland import _library

X, TRUTH = points()
OLD = (np.arange(len(X)) // 12 % 4 != 0) & (TRUTH < 10)


@pytest.mark.parametrize("options", [{}, {"k": 8}, {"tau": 0.5}, {"n_clusters": (8, 12)}])
def test_rows_of_the_fit_keep_their_labels(options):
    model = highland.Highland(**options).fit(X)
    assert np.array_equal(model.predict(X), model.labels_)
    assert np.array_equal(model.predict(X[::-3] * np.float32(4)), model.labels_[::-3])


def test_numbers_of_new_clusters_are_those_of_one_call():
    model = highland.Highland(k=8).fit(X)
    one, other = -X[TRUTH == 0], -X[TRUTH == 1]
    assert set(model.predict(one)) & set(model.predict(other)) == {12}
    both = model.predict(np.concatenate([one, other]))
    assert not set(both[: len(one)]) & set(both[len(one) :])


def test_threads_that_meet_prepare_the_fit_once(monkeypatch):
    model = highland.Highland(k=8, progress=False).fit(X)
    called, names = _library.call, []

    def call(name, *arguments, **named):
        names.append(name)
        called(name, *arguments, **named)

    monkeypatch.setattr(_library, "call", call)
    barrier = threading.Barrier(4)

    def predicted(_):
        barrier.wait()
        return model.predict(X)

    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        assert all(np.array_equal(labels, model.labels_) for labels in executor.map(predicted, range(4)))
    assert names.count("highland_fit") == 1 and names.count("highland_assign") == 4
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.predict(X), model.labels_) and names.count("highland_fit") == 2


@pytest.mark.parametrize("options", [{"method": "flow"}, {"method": "network", "tau": 0.5}])
def test_new_rows_join_clusters_or_found_them(options):
    model = highland.Highland(**options).fit(X[OLD])
    labels = np.empty(len(X), np.int64)
    labels[OLD], labels[~OLD] = model.labels_, model.predict(X[~OLD])
    assert highland.evaluate(labels, TRUTH)["nmi"] > 0.95
    is_new = ~OLD & (TRUTH >= 10)
    assert labels[is_new].min() == model.labels_.max() + 1
    assert labels[~OLD & (TRUTH < 10)].max() <= model.labels_.max()


def test_a_trained_model_judges_new_rows(tmp_path):
    trained = highland.train(X, TRUTH, epochs=1, graphs=1, k=8)
    trained.save(tmp_path / "model.safetensors")
    of_bytes = highland.Highland(model=trained).fit(X[OLD])
    # Another model is in its place as soon as it has been read.
    other = lambda *_: (tmp_path / "model.safetensors").write_bytes(b"other")
    of_path = highland.Highland(model=tmp_path / "model.safetensors", progress=other).fit(X[OLD])
    assert np.array_equal(of_bytes.predict(X), of_path.set_params(progress=False).predict(X))


def test_the_model_in_the_box_has_a_name():
    named = highland.Highland(model="default", tau=0.5).fit(X[OLD])
    assert np.array_equal(named.predict(X), highland.Highland(tau=0.5).fit(X[OLD]).predict(X))


def test_a_fit_that_fails_leaves_the_results_of_the_one_before(monkeypatch):
    model = highland.Highland(k=8, progress=False).fit(X[OLD])
    before = dict(vars(model))

    def fail(_):
        raise MemoryError

    monkeypatch.setattr(highland._arrays, "duplicates", fail)
    with pytest.raises(MemoryError):
        model.fit(X)
    assert vars(model).keys() == before.keys() and all(vars(model)[name] is before[name] for name in before)


def test_labels_do_not_depend_on_threads_types_or_pickling():
    model = highland.Highland(k=8, threads=1).fit(X[OLD].tolist())
    labels = model.predict(X)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.set_params(threads=3).predict(np.asfortranarray(X, np.float64)), labels)
    assert np.array_equal(model.fit(X[OLD]).predict(X), labels)


def test_what_cannot_be_predicted_is_said():
    with pytest.raises((ValueError, AttributeError), match="not fitted yet"):
        highland.Highland().predict(X)
    model = highland.Highland(k=8).fit(X)
    with pytest.raises(ValueError, match="X has 23 features, but Highland is expecting 24 features as input"):
        model.predict(X[:, 1:])
    bad = X.copy()
    bad[5] = 0
    with pytest.raises(ValueError, match="Row 5"):
        model.predict(bad)
    alone = model.set_params(invalid_rows="singleton").predict(bad)
    assert alone[5] == 12 and np.array_equal(np.delete(alone, 5), np.delete(model.labels_, 5))
    with pytest.raises(ValueError, match="groups: expected None"):
        model.predict(X, groups=TRUTH)


GROUPS = np.where(TRUTH % 3 == 2, 40, -TRUTH % 3)


def test_rows_in_groups_join_clusters_of_their_own_group(tmp_path):
    """As the command does it, with the same bytes; a group that is new founds clusters."""
    groups = np.where(TRUTH == 11, 7, GROUPS)
    model = highland.Highland(tau=0.5).fit(X[OLD], groups=groups[OLD])
    assert np.array_equal(model.predict(X[OLD], groups=groups[OLD]), model.labels_)
    labels = model.predict(X, groups=groups)
    for group in np.unique(groups[OLD]):
        old = set(model.labels_[groups[OLD] == group])
        assert set(labels[groups == group]) <= old | set(range(model.n_clusters_, labels.max() + 1))
    assert labels[groups == 7].min() >= model.n_clusters_
    for name, rows, numbers in [("old", X[OLD], groups[OLD]), ("new", X, groups)]:
        np.save(tmp_path / f"{name}.npy", rows)
        np.save(tmp_path / f"{name}-groups.npy", numbers)
    for arguments in [
        ["cluster", "old.npy", "--groups", "old-groups.npy", "--tau", "0.5", "--save", "run", "--output", "old-labels.npy"],
        ["assign", "new.npy", "--to", "run", "--groups", "new-groups.npy", "--output", "new-labels.npy"],
    ]:
        ended = run_command(*arguments, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
    assert np.array_equal(np.load(tmp_path / "old-labels.npy"), model.labels_)
    assert np.array_equal(np.load(tmp_path / "new-labels.npy"), labels)


def test_groups_of_new_rows_are_told_by_name():
    model = highland.Highland(tau=0.5, threads=1).fit(X[OLD], groups=GROUPS[OLD])
    labels = model.predict(X, groups=GROUPS)
    assert np.array_equal(model.predict(X, groups=GROUPS.astype(float).tolist()), labels)
    names = np.array([f"group {number}" for number in GROUPS])
    named = pickle.loads(pickle.dumps(highland.Highland(tau=0.5).fit(X[OLD], groups=names[OLD])))
    assert np.array_equal(named.predict(X, groups=names), labels)
    # Another order of names, some of which are new, and not all of the fit's.
    part = GROUPS != 0
    later = np.where(TRUTH == 11, "a new one", names)
    assert np.array_equal(
        named.predict(X[part], groups=later[part].tolist()),
        model.predict(X[part], groups=np.where(TRUTH == 11, 9, GROUPS)[part]))


def test_groups_that_do_not_fit_are_refused():
    model = highland.Highland(tau=0.5).fit(X, groups=GROUPS)
    for groups, error, text in [
        (None, ValueError, "groups: None; expected the group of every row"),
        (GROUPS[:5], ValueError, "groups of 5 rows, but X has"),
        (GROUPS.astype(str), TypeError, "groups: texts or others; expected whole numbers"),
        (GROUPS + 0.5, TypeError, "groups: texts or others; expected whole numbers"),
        (np.where(TRUTH == 1, np.nan, 0), ValueError, "has no label"),
    ]:
        with pytest.raises(error, match=text):
            model.predict(X, groups=groups)
    with pytest.raises(ValueError, match="groups and n_clusters"):
        highland.Highland(n_clusters=4).fit(X, groups=GROUPS).predict(X, groups=GROUPS)


def test_columns_have_the_names_of_the_fit():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"c{column}" for column in range(24)])
    model = highland.Highland(k=8).fit(frame)
    assert np.array_equal(model.predict(frame), model.labels_)
    with pytest.raises(ValueError, match="in the same order"):
        model.predict(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match="unseen at fit time:\n- other\n.*now missing:\n- c0"):
        model.predict(frame.rename(columns={"c0": "other"}))


def test_columns_of_arrow_have_names():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({f"c{column}": X[:, column] for column in range(24)})
    model = highland.Highland(k=8).fit(table)
    assert model.feature_names_in_.tolist() == table.column_names
    assert np.array_equal(model.predict(table), model.labels_)
    with pytest.raises(ValueError, match="in the same order"):
        model.predict(table.select(table.column_names[::-1]))
    # The name of a column of lists is none of the columns of rows.
    lists = pyarrow.table({"embedding": list(X)})
    assert not hasattr(model.fit(lists), "feature_names_in_")


def test_work_on_new_rows_is_stopped():
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    model = highland.Highland(k=8).fit(X)
    with pytest.raises(Stop):
        model.set_params(progress=stop).predict(X[:5])
    assert np.array_equal(model.set_params(progress=False).predict(X), model.labels_)
