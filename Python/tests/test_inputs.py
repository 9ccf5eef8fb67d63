"""Every form in which rows may come, and what is said of forms that cannot be."""

import numpy as np
import pytest
from sets import points

import highland

X, _ = points()
LABELS = highland.Highland().fit_predict(X)
COLUMNS = [f"c{place}" for place in range(X.shape[1])]


def labels(rows):
    return highland.Highland().fit_predict(rows)


def refused(rows, *texts):
    with pytest.raises((TypeError, ValueError)) as caught:
        highland.Highland().fit(rows)
    for text in texts:
        assert text in str(caught.value)


class Exporter:
    """Rows that have one protocol and nothing else."""

    def __init__(self, array, *names):
        for name in names:
            setattr(type(self), name, property(lambda self, name=name: getattr(array, name)))


@pytest.mark.parametrize(
    "view",
    [np.asfortranarray, lambda x: x.astype("f8"), lambda x: x.astype(">f4"), lambda x: x.astype(np.longdouble),
     lambda x: x.astype(object), lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x[::-1][::-1],
     lambda x: x[:, ::-1][:, ::-1], lambda x: np.repeat(x, 3, axis=0)[::3], lambda x: x.tolist(),
     lambda x: tuple(x), lambda x: list(map(list, x)), memoryview])
def test_layout_and_width_change_nothing(view):
    assert np.array_equal(labels(view(X)), LABELS)


def test_views_are_read_where_they_are():
    assert np.array_equal(labels(X[::-1]), labels(X[::-1].copy()))
    assert np.array_equal(labels(X[:, ::-1]), labels(X[:, ::-1].copy()))


@pytest.mark.parametrize("dtype", ["f2", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"])
def test_short_numbers_are_as_their_float32(dtype):
    numbers = (X * 50 + (128 if dtype[0] == "u" else 0)).astype("i8")
    numbers = numbers > 0 if dtype == "?" else numbers.astype(dtype)
    assert np.array_equal(labels(numbers), labels(numbers.astype("f4")))


@pytest.mark.parametrize("order", ["C", "F"])
def test_mapped_files_are_rows(tmp_path, order):
    np.save(tmp_path / "x.npy", np.asarray(X, order=order))
    assert np.array_equal(labels(np.load(tmp_path / "x.npy", mmap_mode="r")), LABELS)
    mapped = np.memmap(tmp_path / "x.raw", "f4", "w+", 0, X.shape)
    mapped[:] = X
    assert np.array_equal(labels(mapped), LABELS)


def test_the_array_that_is_handed_in_is_not_changed():
    rows = X.copy()
    rows.flags.writeable = False
    assert np.array_equal(labels(rows), LABELS) and np.array_equal(rows, X)


@pytest.mark.parametrize("names", [["__array_interface__"], ["__dlpack__", "__dlpack_device__"], ["__array__"]])
def test_protocols_are_enough(names):
    assert np.array_equal(labels(Exporter(X, *names)), LABELS)


def test_copies_are_told():
    rows = np.concatenate([X, X[3:5], -X[:1]])
    rows[0, 0], rows[-3, 0] = 0.0, X[3, 0]
    expected = np.arange(len(rows))
    expected[len(X) : len(X) + 2] = [3, 4]
    for dtype in ["f4", "f8", "f2"]:
        found = highland.Highland().fit(rows.astype(dtype)).duplicates_
        assert np.array_equal(found, expected) and found.dtype == np.int64
    signs = np.array([[0.0, 1], [-0.0, 1], [1, 0.0], [1, -0.0]])
    assert highland.Highland().fit(signs).duplicates_.tolist() == [0, 0, 2, 2]
    many = np.random.default_rng(5).integers(0, 2, (9000, 11), np.uint8) + np.uint8(1)
    _, first, inverse = np.unique(many, axis=0, return_index=True, return_inverse=True)
    assert np.array_equal(highland.Highland(k=4).fit(many).duplicates_, first[inverse.ravel()])


def test_what_is_no_matrix_is_refused():
    refused(X[0], "2D", "reshape(1, -1)", "(24,)")
    refused(X[None], "2D", "(1, 192, 24)")
    refused(np.float32(3), "2D")
    refused(X[:0], "0 sample")
    refused(X[:, :0], "0 feature")
    refused(X + 1j, "Complex")
    refused(X.astype("U8"), "row 0", "expected numbers")
    refused([["a", "b"], ["c", "d"]], "'a'", "expected numbers")
    refused(X.astype("M8[s]"), "datetime64", "expected numbers")
    refused([[1.0, 2.0], [3.0, 4.0], [5.0]], "row 2 has 1", "row 0 has 2")
    refused(np.array([[1.0, 2.0], [3.0, "x"]], dtype=object), "row 1", "'x'")
    refused(np.array([np.ones(3), None, np.ones(3)], dtype=object), "row 1", "expected a row of numbers")
    refused(np.ma.masked_array(X, X > 0), "masked")
    refused(None, "expected")
    refused("embeddings.npy", "expected numbers", "highland.read")
    refused({"a": 1}, "expected")


@pytest.mark.parametrize("value, name", [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_rows_without_a_direction_are_named(value, name):
    rows = X.copy()
    rows[7, 3] = value
    refused(rows, f"row 7 has {name} in column 3".capitalize(), "invalid_rows='singleton'")
    with pytest.raises(ValueError, match="Row 7"):
        highland.knn_graph(rows, 5)
    kept = highland.Highland(invalid_rows="singleton").fit(rows)
    assert (kept.labels_ == kept.labels_[7]).sum() == 1
    assert kept.exemplars_[kept.labels_[7]] == 7 and kept.duplicates_[7] == 7


def test_rows_of_zeros_are_named():
    rows = X.copy()
    rows[9] = 0
    refused(rows, "Row 9 is all zeros")
    with pytest.raises(ValueError, match="Row 9"):
        highland.train(rows, np.arange(len(rows)) % 12, epochs=1, graphs=1, width=8)


def test_tensors_of_torch_are_rows():
    torch = pytest.importorskip("torch")
    for tensor in [torch.from_numpy(X), torch.from_numpy(X).requires_grad_(), torch.from_numpy(X).t().contiguous().t()]:
        assert np.array_equal(labels(tensor), LABELS)
    short = torch.from_numpy(X).bfloat16()
    assert np.array_equal(labels(short), labels(short.float().numpy()))
    assert np.array_equal(labels(list(torch.from_numpy(X))), LABELS)
    refused(torch.from_numpy(X).to_sparse(), "sparse", "to_dense")
    refused(torch.empty(3, 4, device="meta"), "X.cpu()")


def test_arrays_of_jax_are_rows():
    numpy = pytest.importorskip("jax.numpy")
    assert np.array_equal(labels(numpy.asarray(X)), LABELS)
    short = numpy.asarray(X, numpy.bfloat16)
    assert np.array_equal(labels(short), labels(np.asarray(short).astype("f4")))


def test_frames_of_pandas_are_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=COLUMNS)
    model = highland.Highland().fit(frame)
    assert np.array_equal(model.labels_, LABELS) and list(model.feature_names_in_) == COLUMNS
    assert not hasattr(model.fit(X), "feature_names_in_")
    for rows in [frame.astype("Float32"), frame.astype(object), frame.astype({"c1": "f8"}), frame[::-1][::-1],
                 pandas.Series(list(X)), pandas.DataFrame({"embedding": list(X)})]:
        assert np.array_equal(labels(rows), LABELS)
    refused(frame.assign(name="x"), "expected numbers in every column; leave 'name' out")
    refused(pandas.DataFrame({"id": ["x"] * len(X), "embedding": list(X)}), "such as X['embedding']")
    refused(pandas.DataFrame({"id": range(len(X)), "embedding": list(X)}), "X['embedding']")
    missing = frame.astype("Float32")
    missing.iloc[5, 2] = pandas.NA
    refused(missing, "Row 5 has nan in column 2")
    refused(pandas.Series([1.0, 2.0]), "2D")
    refused(pandas.Series([[1.0, 2.0], [1.0]]), "row 1 has 1")
    refused(pandas.Series(["a", "b"]), "row 0")


def test_frames_of_polars_are_rows():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(X, schema=COLUMNS)
    lists = polars.Series("embedding", X.tolist(), dtype=polars.List(polars.Float32))
    arrays = polars.Series("embedding", X, dtype=polars.Array(polars.Float32, X.shape[1]))
    for rows in [frame, lists, arrays, lists.to_frame(), arrays.to_frame()]:
        assert np.array_equal(labels(rows), LABELS)
    assert np.array_equal(labels(arrays[10:]), labels(X[10:]))
    refused(frame.lazy(), "collect()")
    refused(frame.with_columns(name=polars.lit("x")), "leave 'name' out")
    refused(polars.DataFrame({"id": range(len(X)), "embedding": lists}), "X['embedding']")
    refused(polars.Series([[1.0, 2.0], None]), "row 1 is null")
    refused(polars.Series([[1.0, 2.0], [1.0]]), "row 1 has 1")
    refused(polars.Series([1.0, 2.0]), "2D")
    refused(frame.with_columns(c2=polars.when(polars.col("c0") == frame["c0"][5]).then(None).otherwise(polars.col("c2"))),
            "Row 5 has nan in column 2")


def test_columns_of_arrow_are_rows():
    arrow = pytest.importorskip("pyarrow")
    values = arrow.array(X.ravel())
    fixed = arrow.FixedSizeListArray.from_arrays(values, X.shape[1])
    starts = np.arange(0, X.size + 1, X.shape[1])
    for column in [fixed, arrow.ListArray.from_arrays(starts.astype("i4"), values),
                   arrow.LargeListArray.from_arrays(starts, values), arrow.chunked_array([fixed[:50], fixed[50:]]),
                   arrow.table({"embedding": fixed}), arrow.table(list(X.T), names=COLUMNS),
                   arrow.record_batch(list(X.T), names=COLUMNS),
                   arrow.ExtensionArray.from_storage(arrow.fixed_shape_tensor(arrow.float32(), [24]), fixed),
                   Exporter(fixed, "__arrow_c_array__", "__arrow_c_schema__"),
                   Exporter(arrow.chunked_array([fixed]), "__arrow_c_stream__")]:
        assert np.array_equal(labels(column), LABELS)
    assert np.array_equal(labels(fixed[10:]), labels(X[10:]))
    half = arrow.FixedSizeListArray.from_arrays(arrow.array(X.ravel().astype("f2")), X.shape[1])
    assert np.array_equal(labels(half), labels(X.astype("f2")))
    refused(arrow.table({"id": range(len(X)), "embedding": fixed}), "X['embedding']")
    refused(arrow.table({"id": ["x"] * len(X), "embedding": fixed}), "'id'", "such as X['embedding']")
    refused(arrow.table({"id": ["x", "y"], "c": [1.0, 2.0]}), "leave 'id' out")
    refused(arrow.array([[1.0, 2.0], None]), "row 1 is null")
    refused(arrow.array([[1.0, 2.0], [1.0]]), "row 1 has 1")
    refused(arrow.array([[1.0, 2.0], [1.0, None]]), "Row 1 has nan in column 1")
    refused(arrow.array([1.0, 2.0]), "2D")
    refused(arrow.array(["a", "b"]), "expected")
    refused(fixed[:0], "0 sample")


@pytest.mark.parametrize("kind", ["csr_matrix", "coo_matrix", "csc_array"])
def test_sparse_rows_are_refused_with_a_reason(kind):
    sparse = pytest.importorskip("scipy.sparse")
    refused(getattr(sparse, kind)(X), "sparse", "TruncatedSVD")
