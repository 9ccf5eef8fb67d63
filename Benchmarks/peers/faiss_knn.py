"""Exact nearest neighbours with faiss's flat inner-product index; prints what the search cost.

usage: faiss_knn.py FEATURES.npy --k 10 --neighbors IDX.npy --similarities SIM.npy
"""

import argparse
import ctypes
import json
import time

import faiss
import numpy

from benchmarking import own_peak_bytes


def openblas_core():
    """The kernels that faiss's own OpenBLAS chose; empty if it has none."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "faiss" in line and "openblas" in line}
    for path in paths:
        name = ctypes.CDLL(path).openblas_get_corename
        name.restype = ctypes.c_char_p
        return name().decode()
    return ""


def unit_rows(features):
    rows = numpy.asarray(features, dtype=numpy.float32)
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def without_self(neighbors, similarities):
    """The k - 1 nearest others: a row's own index dropped wherever it stands, else the last."""
    count, k = neighbors.shape
    keep = neighbors != numpy.arange(count)[:, None]
    keep[keep.all(axis=1), k - 1] = False
    return neighbors[keep].reshape(count, k - 1), similarities[keep].reshape(count, k - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features")
    parser.add_argument("--k", type=int, default=10, help="places of a list, the point included")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--neighbors", required=True)
    parser.add_argument("--similarities", required=True)
    options = parser.parse_args()

    faiss.omp_set_num_threads(options.threads)
    rows = unit_rows(numpy.load(options.features))
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    start, start_cpu = time.perf_counter(), time.process_time()
    similarities, neighbors = index.search(rows, options.k)
    cost = {
        "elapsedSeconds": time.perf_counter() - start,
        "cpuSeconds": time.process_time() - start_cpu,
        "kernels": openblas_core(), "faiss": faiss.__version__,
        "peakBytes": own_peak_bytes(),
    }
    neighbors, similarities = without_self(neighbors, similarities)
    numpy.save(options.neighbors, neighbors)
    numpy.save(options.similarities, similarities)
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
