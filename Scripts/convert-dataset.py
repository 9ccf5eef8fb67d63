#!/usr/bin/env python3
"""Convert a pickled pair (features, labels) to features.npy and labels.npy.

This is the form in which the authors of Hi-LANDER publish their data sets. Features become
float32 (or float16 with --half) of shape [nodes x dimensions], labels int64 of shape [nodes].

Of the pickle only arrays of NumPy, lists, tuples, dictionaries, numbers and strings are read; what
else it names is refused before it is imported or called. So no code of the pickle runs.

Needs numpy, and as much memory as the data set.
"""

import argparse
import os
import pickle
import sys
import tempfile


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="the .pkl file to read")
    parser.add_argument("directory", nargs="?", default=".",
                        help="where to write features.npy and labels.npy (default: here)")
    parser.add_argument("--half", action="store_true", help="write features as float16")
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    arguments = parser.parse_args()

    targets = [os.path.join(arguments.directory, name) for name in ("features.npy", "labels.npy")]
    for target in targets:
        if os.path.exists(target) and os.path.exists(arguments.dataset) \
                and os.path.samefile(target, arguments.dataset):
            sys.exit(f"{target}: is the input; an output needs a name of its own")
        if os.path.exists(target) and not arguments.overwrite:
            sys.exit(f"{target}: exists already; give --overwrite to replace it")
    if not os.path.isdir(arguments.directory):
        sys.exit(f"{arguments.directory}: there is no such directory")

    import numpy

    features, labels = read_pair(arguments.dataset)
    with numpy.errstate(over="ignore"):
        narrow = numpy.ascontiguousarray(features, "<f2" if arguments.half else "<f4")
    rows = numpy.flatnonzero((numpy.isinf(narrow) & ~numpy.isinf(features)).any(axis=1))
    if len(rows):
        sys.exit(f"{arguments.dataset}: row {rows[0]} of the features has values too large for "
                 f"{narrow.dtype}")
    largest = numpy.abs(numpy.where(numpy.isfinite(features), features, 0)).max(axis=1, initial=0)
    rows = numpy.flatnonzero((largest > 0) & (largest < numpy.finfo(narrow.dtype).tiny))
    if len(rows):
        sys.exit(f"{arguments.dataset}: row {rows[0]} of the features has values too small for "
                 f"{narrow.dtype}; divide every row by its length, or all by one number")
    features = narrow
    labels = numpy.ascontiguousarray(labels, "<i8")
    write_whole({targets[0]: features, targets[1]: labels})
    for target, array in zip(targets, (features, labels)):
        print(f"{target}: {array.dtype} {array.shape}")


class ArrayUnpickler(pickle.Unpickler):
    """Knows arrays of NumPy and what the language itself writes for plain values."""

    PLAIN = {"bytearray", "bytes", "bool", "complex", "dict", "float", "frozenset", "int", "list",
             "long", "set", "str", "tuple", "unicode"}

    def find_class(self, module, name):
        if module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.multiarray"):
            if name == "_reconstruct":
                return lambda subtype, shape, dtype: StoredArray()
            if name == "scalar":
                return lambda dtype, data: array_of(dtype, (), data, "C")[()]
        elif module in ("numpy.core.numeric", "numpy._core.numeric"):
            if name == "_frombuffer":
                return lambda data, dtype, shape, order: array_of(dtype, shape, data, order)
        elif module == "numpy":
            if name == "dtype":
                return StoredType
            if name == "ndarray":
                return None  # what _reconstruct is told to make; nothing else may be done with it
        elif module in ("builtins", "__builtin__"):
            if name in self.PLAIN:
                import builtins

                return getattr(builtins, {"long": "int", "unicode": "str"}.get(name, name))
        elif (module, name) == ("_codecs", "encode"):
            return encode
        elif (module, name) == ("collections", "OrderedDict"):
            return dict
        raise pickle.UnpicklingError(
            f"holds {module}.{name}; only arrays of NumPy, lists, tuples, dictionaries, numbers and "
            "strings are read")


class StoredType:
    """The type of an array, as a pickle describes it; of what the pickle says only the order of bytes
    is taken."""

    def __init__(self, name, *flags):
        import numpy

        if not isinstance(name, (str, bytes)):
            raise pickle.UnpicklingError(f"holds an array of {name!r}")
        self.type = numpy.dtype(name)
        if self.type.kind not in "biufcSU":
            raise pickle.UnpicklingError(f"holds an array of {self.type}; only numbers are read")

    def __setstate__(self, state):
        if state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


class StoredArray:
    """An array, as a pickle describes it."""

    array = None

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, data = state
        self.array = array_of(dtype, shape, data, "F" if is_fortran else "C")

    def __array__(self, dtype=None, copy=None):
        if self.array is None:
            raise ValueError("an array without contents")
        return self.array if dtype is None else self.array.astype(dtype)


def array_of(dtype, shape, data, order):
    """The array whose bytes are given."""
    import numpy

    if not isinstance(dtype, StoredType):
        raise pickle.UnpicklingError("holds an array of unknown type")
    if isinstance(data, str):
        data = data.encode("latin1")  # bytes of Python 2
    return numpy.frombuffer(data, dtype.type).reshape(shape, order=order)


def encode(text, encoding="latin1"):
    """How old protocols hold bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"holds text encoded as {encoding!r}")
    return text.encode("latin1")


def read_pair(path):
    """Features of shape [n, d] and integer labels of shape [n]."""
    import numpy

    try:
        with open(path, "rb") as file:
            # Latin 1, as arrays that Python 2 pickled are strings of bytes.
            pair = ArrayUnpickler(file, encoding="latin1").load()
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except Exception as error:  # a damaged pickle may throw anything
        sys.exit(f"{path}: not read: {error}")
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        sys.exit(f"{path}: a {type(pair).__name__}; expected a pair (features, labels)")
    try:
        features, labels = (numpy.asarray(part) for part in pair)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
    if features.ndim != 2 or features.dtype.kind not in "fiub":
        sys.exit(f"{path}: features are {features.dtype} {features.shape}; expected numbers of two "
                 "dimensions")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1 and labels.dtype.kind == "f" and (labels == labels.round()).all():
        check_labels(path, labels, labels >= 2.0**63, f"is above {2**63 - 1}")
        check_labels(path, labels, labels < -2.0**63, f"is below {-2**63}")
        labels = labels.astype("<i8")
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        sys.exit(f"{path}: labels are {labels.dtype} {labels.shape}; expected integers of one "
                 "dimension")
    check_labels(path, labels, labels > 2**63 - 1, f"is above {2**63 - 1}")
    if len(features) != len(labels):
        sys.exit(f"{path}: {len(features)} rows of features, but {len(labels)} labels")
    return features, labels


def check_labels(path, labels, bad, problem):
    rows = bad.nonzero()[0]
    if len(rows):
        sys.exit(f"{path}: row {rows[0]}: the label {labels[rows[0]]} {problem}")


def write_whole(arrays):
    """Writes all arrays under other names beside the targets, which are replaced at the end."""
    import numpy

    temporaries = {}
    try:
        for path, array in arrays.items():
            directory, name = os.path.split(path)
            descriptor, temporary = tempfile.mkstemp(prefix=name + ".tmp-", dir=directory or ".")
            temporaries[path] = temporary
            with os.fdopen(descriptor, "wb") as file:
                numpy.save(file, array)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
        for path in arrays:
            os.replace(temporaries[path], path)
            del temporaries[path]
    except OSError as error:
        sys.exit(f"{error.filename or ''}: {error.strerror}")
    finally:
        for temporary in temporaries.values():
            os.unlink(temporary)


if __name__ == "__main__":
    main()
