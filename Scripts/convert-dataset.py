#!/usr/bin/env python3
"""Convert a pickled pair (features, labels) to features.npy and labels.npy.

This is the form in which the authors of Hi-LANDER publish their data sets. Features become
float32 (or float16 with --half) of shape [nodes x dimensions], labels int64 of shape [nodes].

WARNING: reading a pickle executes whatever code it contains. Convert only files whose origin you
trust, or do it where they can do no harm.

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
        if os.path.exists(target) and not arguments.overwrite:
            sys.exit(f"{target}: exists already; give --overwrite to replace it")
    if not os.path.isdir(arguments.directory):
        sys.exit(f"{arguments.directory}: there is no such directory")

    import numpy

    features, labels = read_pair(arguments.dataset)
    features = numpy.ascontiguousarray(features, "<f2" if arguments.half else "<f4")
    labels = numpy.ascontiguousarray(labels, "<i8")
    write_whole({targets[0]: features, targets[1]: labels})
    for target, array in zip(targets, (features, labels)):
        print(f"{target}: {array.dtype} {array.shape}")


def read_pair(path):
    """Features of shape [n, d] and integer labels of shape [n]."""
    import numpy

    try:
        with open(path, "rb") as file:
            pair = pickle.load(file)
    except OSError as error:
        sys.exit(f"{path}: {error.strerror}")
    except Exception as error:  # whatever the pickle's code may throw
        sys.exit(f"{path}: not read: {error}")
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        sys.exit(f"{path}: a {type(pair).__name__}; expected a pair (features, labels)")
    try:
        features, labels = (numpy.asarray(part) for part in pair)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
    if features.ndim != 2 or features.dtype.kind != "f":
        sys.exit(f"{path}: features are {features.dtype} {features.shape}; expected floating "
                 "point of two dimensions")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1 and labels.dtype.kind == "f" and (labels == labels.round()).all():
        labels = labels.astype("<i8")
    if labels.ndim != 1 or labels.dtype.kind not in "iub":
        sys.exit(f"{path}: labels are {labels.dtype} {labels.shape}; expected integers of one "
                 "dimension")
    if len(features) != len(labels):
        sys.exit(f"{path}: {len(features)} rows of features, but {len(labels)} labels")
    return features, labels


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
