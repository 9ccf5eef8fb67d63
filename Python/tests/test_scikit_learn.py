"""The conventions of scikit-learn, as its own checks see them."""

import inspect
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sets import points

import highland

X, TRUTH = points()

# Checks of scikit-learn that an estimator of this kind cannot pass, and why.
EXPECTED_FAILURES = {
    "check_estimators_dtypes": "has a row of zeros among integers, which has no direction and is refused",
}


@pytest.mark.filterwarnings("ignore:Estimator Highland does not inherit")
def test_checks_of_scikit_learn_pass_but_for_those_with_a_reason():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    if "expected_failed_checks" not in inspect.signature(checks.check_estimator).parameters:
        pytest.skip("scikit-learn 1.6 or later is needed")
    results = checks.check_estimator(
        highland.Highland(), expected_failed_checks=EXPECTED_FAILURES, on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert not failed
    # None of the exceptions has become needless.
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(EXPECTED_FAILURES)
    assert sum(result["status"] == "passed" for result in results) > 25


def test_zeros_as_clusters_of_their_own_pass_the_check_of_types():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    checks.check_estimators_dtypes("Highland", highland.Highland(invalid_rows="singleton"))


def test_clones_have_the_parameters_and_no_results():
    base = pytest.importorskip("sklearn.base")
    model = highland.Highland(model=b"bytes", k=8, tau=0.5, progress=False)
    copy = base.clone(model)
    assert copy.get_params() == model.get_params() and not hasattr(base.clone(highland.Highland().fit(X)), "labels_")
    assert base.is_clusterer(model)


def test_pipelines_end_with_it():
    pipeline = pytest.importorskip("sklearn.pipeline")
    decomposition = pytest.importorskip("sklearn.decomposition")
    line = pipeline.make_pipeline(decomposition.TruncatedSVD(12, random_state=0), highland.Highland(k=6))
    assert line.set_params(highland__k=8)[-1].k == 8
    assert highland.evaluate(line.fit_predict(X), TRUTH)["nmi"] > 0.9


def test_groups_go_through_a_pipeline():
    pipeline = pytest.importorskip("sklearn.pipeline")
    decomposition = pytest.importorskip("sklearn.decomposition")
    line = pipeline.make_pipeline(decomposition.TruncatedSVD(12, random_state=0), highland.Highland(tau=0.5))
    labels = line.fit_predict(X, highland__groups=TRUTH % 3)
    assert all(len(set(TRUTH[labels == label] % 3)) == 1 for label in range(line[-1].n_clusters_))


def test_parameters_are_read_and_set():
    model = highland.Highland(k=5).set_params(granularity="finer")
    assert model.get_params()["granularity"] == "finer"
    assert list(model.get_params()) == list(inspect.signature(highland.Highland).parameters)
    assert repr(model) == "Highland(k=5, granularity='finer')" and repr(highland.Highland()) == "Highland()"
    with pytest.raises(ValueError, match="Invalid parameter 'clusters'"):
        model.set_params(clusters=3)


def test_a_fitted_estimator_is_pickled():
    model = highland.Highland(k=8).fit(X)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.get_params() == model.get_params() and copy.report_ == model.report_
    for name in ["labels_", "probabilities_", "exemplars_", "duplicates_"]:
        assert np.array_equal(getattr(copy, name), getattr(model, name))
    assert np.array_equal(copy.fit_predict(X), model.labels_)


def test_everything_is_told_as_json():
    model = highland.Highland(k=8, model=None, progress=print)
    assert "labels" not in model.to_dict()
    told = json.loads(json.dumps(model.set_params(progress=False).fit(X).to_dict()))
    assert told["parameters"]["k"] == 8 and told["highland"] == highland.__version__
    assert told["labels"] == model.labels_.tolist() and told["report"]["clusterCount"] == 12
    assert len(told["exemplars"]) == 12 and told["cluster_layers"][-1] == told["labels"]


def test_exemplars_are_the_strongest_rows():
    model = highland.Highland().fit(X)
    assert np.array_equal(model.labels_[model.exemplars_], np.arange(12))
    assert (model.probabilities_[model.exemplars_] == 1).all() and model.exemplars_.dtype == np.int64


def test_every_result_is_documented():
    model = highland.Highland().fit(X)
    for name in [*model.get_params(), *(name for name in vars(model) if name.endswith("_"))]:
        assert f"\n    {name} : " in highland.Highland.__doc__
    assert "\n    n_clusters_ : " in highland.Highland.__doc__
    for name in highland.__all__:
        assert name == "__version__" or getattr(highland, name).__doc__


def test_numpy_is_enough():
    code = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "scipy", "pandas", "polars", "pyarrow", "torch", "tqdm", "rich"}:
            raise ImportError(name)
sys.meta_path.insert(0, Finder())
import numpy as np, highland
X = np.random.default_rng(0).normal(size=(60, 8))
model = highland.Highland().fit(X)
highland.evaluate(model.labels_, model.labels_), highland.knn_graph(X, 5), model.to_dict(), repr(model)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
