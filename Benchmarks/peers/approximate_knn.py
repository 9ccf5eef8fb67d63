"""Approximate nearest neighbours of all points with a peer; prints what it cost, and its recall.

usage: approximate_knn.py PEER FEATURES.npy --setting NAME=VALUE ... --exact NEIGHBORS.npy

Recall is of the rows that the exact lists have (-2 in the others), by index.
"""

import argparse
import json
import time

import numpy

from benchmarking import own_peak_bytes
from faiss_knn import unit_rows, without_self


def faiss_ivf(rows, k, threads, cells, probes):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
    index.train(rows[:: max(1, len(rows) // (40 * cells))])
    index.add(rows)
    index.nprobe = probes
    return index.search(rows, k)[1]


def faiss_hnsw(rows, k, threads, m, construction, search):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(rows.shape[1], m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = construction
    index.add(rows)
    index.hnsw.efSearch = search
    return index.search(rows, k)[1]


def faiss_nn_descent(rows, k, threads, places):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexNNDescentFlat(rows.shape[1], max(k, places), faiss.METRIC_INNER_PRODUCT)
    index.nndescent.S = 10
    index.nndescent.R = 32
    index.nndescent.L = max(k, places) + 10
    index.nndescent.iter = 10
    index.add(rows)
    graph = faiss.vector_to_array(index.nndescent.final_graph)
    return graph.reshape(len(rows), -1)[:, :k].astype(numpy.int64)


def hnsw(rows, k, threads, m, construction, search):
    import hnswlib

    index = hnswlib.Index(space="ip", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=m, ef_construction=construction)
    index.set_num_threads(threads)
    index.add_items(rows)
    index.set_ef(search)
    return index.knn_query(rows, k=k)[0].astype(numpy.int64)


def nn_descent(rows, k, threads, trees, places):
    import pynndescent

    index = pynndescent.NNDescent(
        rows, metric="dot", n_neighbors=max(k, places), n_trees=trees or None, n_jobs=threads)
    return index.neighbor_graph[0][:, :k].astype(numpy.int64)


PEERS = {
    "faiss-ivf": faiss_ivf, "faiss-hnsw": faiss_hnsw, "faiss-nndescent": faiss_nn_descent,
    "hnswlib": hnsw, "pynndescent": nn_descent,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("features")
    parser.add_argument("--setting", nargs="*", default=[])
    parser.add_argument("--exact", required=True)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = unit_rows(numpy.load(options.features))
    setting = {name: int(value) for name, value in (s.split("=") for s in options.setting)}
    start, start_cpu = time.perf_counter(), time.process_time()
    found = PEERS[options.peer](rows, options.k, options.threads, **setting)
    cost = {
        "elapsedSeconds": time.perf_counter() - start,
        "cpuSeconds": time.process_time() - start_cpu,
        "peakBytes": own_peak_bytes(),
    }
    lists, _ = without_self(found, found)
    exact = numpy.load(options.exact)
    asked = numpy.flatnonzero(exact[:, 0] != -2)
    hits = [len(numpy.intersect1d(lists[i], exact[i])) for i in asked]
    print(json.dumps(cost | {"recall": float(numpy.mean(hits)) / exact.shape[1]}))


if __name__ == "__main__":
    main()
