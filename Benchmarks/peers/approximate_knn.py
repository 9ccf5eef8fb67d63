"""Approximate nearest neighbours of all points with a peer: one index, searched with several settings.

usage: approximate_knn.py PEER FEATURES.npy --build NAME=VALUE ... --searches NAME=VALUE,... ... --exact NEIGHBORS.npy

Prints a JSON line after every search, whose seconds are those of building the index and of this search. Ends
when a search has reached the recall --enough. Recall is of the rows that the exact lists have (-2 in the
others), by index. Compiling a peer's kernels for this processor is not counted.
"""

import argparse
import json
import time

import numpy

from benchmarking import own_peak_bytes, recall
from faiss_knn import unit_rows, without_self

# Every peer builds its index from rows of length 1 and returns what searches it: settings -> lists.


def faiss_ivf(rows, k, threads, cells):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
    index.train(rows[:: max(1, len(rows) // (40 * cells))])  # below 39 a cell faiss complains
    index.add(rows)

    def search(probes):
        index.nprobe = probes
        return index.search(rows, k)[1]

    return search


def faiss_hnsw(rows, k, threads, m, construction):
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexHNSWFlat(rows.shape[1], m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = construction
    index.add(rows)

    def search(width):
        index.hnsw.efSearch = width
        return index.search(rows, k)[1]

    return search


def hnsw(rows, k, threads, m, construction):
    import hnswlib

    index = hnswlib.Index(space="ip", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), M=m, ef_construction=construction)
    index.set_num_threads(threads)
    index.add_items(rows)

    def search(width):
        index.set_ef(width)
        return index.knn_query(rows, k=k)[0].astype(numpy.int64)

    return search


# Descents along neighbours of neighbours build the graph of all points itself: nothing is searched.


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
    return lambda: graph.reshape(len(rows), -1)[:, :k].astype(numpy.int64)


def nn_descent(rows, k, threads, places):
    import pynndescent

    index = pynndescent.NNDescent(rows, metric="dot", n_neighbors=max(k, places), n_jobs=threads)
    return lambda: index.neighbor_graph[0][:, :k].astype(numpy.int64)


def evoc_graph(rows, k, threads, places):
    from evoc.knn_graph import knn_graph

    lists, _ = knn_graph(rows, n_neighbors=max(k, places), random_state=0, n_jobs=threads)
    return lambda: lists[:, :k].astype(numpy.int64)


PEERS = {
    "faiss-ivf": faiss_ivf, "faiss-hnsw": faiss_hnsw, "hnswlib": hnsw,
    "faiss-nndescent": faiss_nn_descent, "pynndescent": nn_descent, "evoc": evoc_graph,
}
COMPILED = {"pynndescent", "evoc"}  # by numba, when they are called first


def values(words):
    return {name: int(value) for name, value in (word.split("=") for word in words)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("features")
    parser.add_argument("--build", nargs="*", default=[])
    parser.add_argument("--searches", nargs="*", default=[""])
    parser.add_argument("--enough", type=float, default=1)
    parser.add_argument("--exact", required=True)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = unit_rows(numpy.load(options.features))
    exact = numpy.load(options.exact)
    build, build_setting = PEERS[options.peer], values(options.build)
    if options.peer in COMPILED:
        build(rows[:5000], options.k, options.threads, **build_setting)()
    start, start_cpu = time.perf_counter(), time.process_time()
    search = build(rows, options.k, options.threads, **build_setting)
    built, built_cpu = time.perf_counter() - start, time.process_time() - start_cpu
    for words in options.searches:
        setting = values(word for word in words.split(",") if word)
        start, start_cpu = time.perf_counter(), time.process_time()
        found = search(**setting)
        line = {
            "setting": build_setting | setting,
            "elapsedSeconds": built + time.perf_counter() - start,
            "cpuSeconds": built_cpu + time.process_time() - start_cpu,
            "buildSeconds": built, "peakBytes": own_peak_bytes(),
            "recall": recall(without_self(found, found)[0], exact),
        }
        print(json.dumps(line), flush=True)
        if line["recall"] >= options.enough:
            break


if __name__ == "__main__":
    main()
