"""Embeddings that are missing in a column of lists."""

import numpy as np
import pytest
from sets import points

import highland

X, _ = points()
ZEROS = X.copy()
ZEROS[[0, 7]] = 0
EXPECTED = highland.Highland(invalid_rows="singleton").fit_predict(ZEROS)
ROWS = [None if row in (0, 7) else X[row] for row in range(len(X))]


def is_a_cluster_of_its_own(column):
    with pytest.raises(ValueError, match=r"row 0 is .*invalid_rows='singleton'"):
        highland.Highland().fit(column)
    with pytest.raises(ValueError, match="row 0 is"):
        highland.knn_graph(column, 5)
    model = highland.Highland(invalid_rows="singleton").fit(column)
    assert np.array_equal(model.labels_, EXPECTED) and model.n_features_in_ == X.shape[1]
    assert (EXPECTED == EXPECTED[7]).sum() == 1
    found = model.predict(column)
    present = [row for row in range(len(X)) if row not in (0, 7)]
    assert np.array_equal(found[present], EXPECTED[present])


def test_missing_rows_of_lists():
    is_a_cluster_of_its_own(ROWS)
    is_a_cluster_of_its_own(tuple(ROWS))
    column = np.empty(len(X), object)
    column[:] = ROWS
    is_a_cluster_of_its_own(column)
    column[[0, 7]] = np.nan
    is_a_cluster_of_its_own(column)


def test_missing_rows_of_pandas():
    pandas = pytest.importorskip("pandas")
    is_a_cluster_of_its_own(pandas.Series(ROWS, index=range(len(X), 0, -1)))
    is_a_cluster_of_its_own(pandas.DataFrame({"embedding": ROWS}))
    is_a_cluster_of_its_own(pandas.Series([np.nan if row is None else row for row in ROWS]))
    is_a_cluster_of_its_own(pandas.Series([pandas.NA if row is None else row for row in ROWS]))


def test_missing_rows_of_polars():
    polars = pytest.importorskip("polars")
    lists = [None if row is None else row.tolist() for row in ROWS]
    column = polars.Series("embedding", lists, polars.List(polars.Float32))
    is_a_cluster_of_its_own(column)
    is_a_cluster_of_its_own(column.to_frame())
    is_a_cluster_of_its_own(polars.Series("embedding", lists, polars.Array(polars.Float32, X.shape[1])))


def test_missing_rows_of_arrow():
    arrow = pytest.importorskip("pyarrow")
    lists = [None if row is None else row.tolist() for row in ROWS]
    for kind in [arrow.list_(arrow.float32()), arrow.large_list(arrow.float32()), arrow.list_(arrow.float32(), X.shape[1])]:
        column = arrow.array(lists, kind)
        is_a_cluster_of_its_own(column)
        is_a_cluster_of_its_own(arrow.chunked_array([column[:5], column[5:]]))
    is_a_cluster_of_its_own(arrow.table({"embedding": column}))


def test_rows_that_are_all_missing_have_no_columns():
    with pytest.raises(ValueError, match="all rows are missing"):
        highland.Highland(invalid_rows="singleton").fit([None, None])
