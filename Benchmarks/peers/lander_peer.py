"""The published pipeline (Hi-LANDER, Xing et al. 2021) in Python, full graph: what we compare with.

usage: lander_peer.py FEATURES.npy --model MODEL.safetensors --output LABELS.npy

Written after the equations of the authors' published code and in its manner: faiss's flat index,
message passing by DGL on torch, the decoder's linear maps once per edge, one decode and one new
graph per level. Where the authors loop over nodes in Python (neighbour tables, labels down the
trees, cluster means) this program uses NumPy on whole arrays, which is faster. It asks for no
labels, and drops edges of similarity <= 0 where the authors abort.

Without DGL, or with --messages torch, gathers and index_add_ stand for message passing.
The mean layer only. Prints the cost of every phase as JSON, seconds elapsed and of the processor.
"""

import argparse
import json
import struct
import time

import faiss
import numpy
import scipy.sparse
import torch

from benchmarking import own_peak_bytes
from faiss_knn import openblas_core, unit_rows


def read_tensors(path):
    """Name -> tensor of a safetensors file of float32."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        kind = {"F32": "<f4", "F16": "<f2"}.get(entry["dtype"])
        if kind is None:
            raise SystemExit(f"error: {path}: {name} is {entry['dtype']}, expected F32 or F16")
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype=kind).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.astype("<f4"))
    return tensors


class Clock:
    """Seconds by phase: elapsed, and processor time of this process."""

    def __init__(self):
        self.elapsed, self.cpu = {}, {}

    def measure(self, phase, work):
        start, start_cpu = time.perf_counter(), time.process_time()
        result = work()
        elapsed, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        self.elapsed[phase] = self.elapsed.get(phase, 0) + elapsed
        self.cpu[phase] = self.cpu.get(phase, 0) + cpu
        return result


# Graph


def nearest_neighbors(rows, k):
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(rows)
    return index.search(rows, k)


class Edges:
    """Edges neighbour -> node, by node and then by neighbour."""

    def __init__(self, similarities, neighbors):
        count, k = neighbors.shape
        node = numpy.repeat(numpy.arange(count), k)
        neighbor, similarity = neighbors.ravel(), similarities.ravel().astype(numpy.float64)
        keep = (neighbor != node) & (similarity > 0)
        table = scipy.sparse.csr_matrix(
            (similarity[keep], (node[keep], neighbor[keep])), shape=(count, count))
        table.sort_indices()
        sums = numpy.asarray(table.sum(axis=1)).ravel()
        sums[sums <= 0] = 1
        degrees = numpy.diff(table.indptr)
        self.count = count
        self.src = table.indices.astype(numpy.int64)
        self.dst = numpy.repeat(numpy.arange(count), degrees)
        self.degrees = degrees
        self.offsets = table.indptr
        weight = table.data / sums[self.dst]
        self.weight = torch.from_numpy(weight.astype(numpy.float32))
        self.similarity = torch.from_numpy(table.data.astype(numpy.float32))


class DGLMessages:
    name = "dgl"

    def __init__(self, edges):
        import dgl
        import dgl.function

        self.function = dgl.function
        self.graph = dgl.graph((edges.src, edges.dst), num_nodes=edges.count)
        self.graph.edata["weight"] = edges.weight[:, None]

    def weighted_sum(self, x):
        graph, function = self.graph, self.function
        with graph.local_scope():
            graph.ndata["x"] = x
            graph.update_all(function.u_mul_e("x", "weight", "m"), function.sum("m", "sum"))
            return graph.ndata["sum"]

    def per_edge(self, h, on_source, on_target):
        graph = self.graph
        with graph.local_scope():
            graph.ndata["h"] = h
            graph.apply_edges(lambda e: {"u": on_source(e.src["h"]) + on_target(e.dst["h"])})
            return graph.edata["u"]

    def sum_of_ends(self, of_source, of_target):
        graph = self.graph
        with graph.local_scope():
            graph.ndata["s"], graph.ndata["t"] = of_source, of_target
            graph.apply_edges(self.function.u_add_v("s", "t", "u"))
            return graph.edata["u"]

    def mean(self, values):
        graph, function = self.graph, self.function
        with graph.local_scope():
            graph.edata["v"] = values
            graph.update_all(function.copy_e("v", "m"), function.mean("m", "mean"))
            return graph.ndata["mean"]


class TorchMessages:
    name = "torch"

    def __init__(self, edges):
        self.count = edges.count
        self.src, self.dst = torch.from_numpy(edges.src), torch.from_numpy(edges.dst)
        self.weight = edges.weight[:, None]
        self.degrees = torch.from_numpy(edges.degrees).clamp(min=1).float()

    def weighted_sum(self, x):
        sums = torch.zeros(self.count, x.shape[1])
        return sums.index_add_(0, self.dst, x[self.src] * self.weight)

    def per_edge(self, h, on_source, on_target):
        return on_source(h[self.src]) + on_target(h[self.dst])

    def sum_of_ends(self, of_source, of_target):
        return of_source[self.src] + of_target[self.dst]

    def mean(self, values):
        return torch.zeros(self.count).index_add_(0, self.dst, values) / self.degrees


# Network


class Network:
    """`decodes_nodes`: the decoder's linear maps once per node, instead of once per edge."""

    def __init__(self, tensors, decodes_nodes=False):
        self.tensors = tensors
        self.decodes_nodes = decodes_nodes
        self.layers = sum(name.endswith("gcn_layer.mlp.weight") for name in tensors)
        if self.layers == 0:
            raise SystemExit("error: the peer has the mean layer only")

    def linear(self, name):
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        return lambda x: torch.nn.functional.linear(x, weight, bias)

    def input_width(self):
        return self.tensors["conv.0.gcn_layer.mlp.weight"].shape[1] // 2

    def __call__(self, x, edges, messages):
        """Linkage probability per edge and density per node."""
        logits, density = self.logits_and_density(x, edges, messages)
        return torch.softmax(logits, dim=1).numpy(), density.numpy()

    def logits_and_density(self, x, edges, messages):
        h = x
        for layer in range(self.layers):
            both = torch.cat([h, messages.weighted_sum(h)], dim=1)
            h = torch.relu(self.linear(f"conv.{layer}.gcn_layer.mlp")(both))
        on_source, on_target = self.linear("src_mlp"), self.linear("dst_mlp")
        if self.decodes_nodes:
            u = messages.sum_of_ends(on_source(h), on_target(h))
        else:
            u = messages.per_edge(h, on_source, on_target)
        prelu, tensors = torch.nn.functional.prelu, self.tensors
        u = prelu(u, tensors["classifier_conn.0.weight"])
        u = prelu(self.linear("classifier_conn.1")(u), tensors["classifier_conn.2.weight"])
        logits = self.linear("classifier_conn.3")(u)
        probability = torch.softmax(logits, dim=1)
        density = messages.mean(edges.similarity * (probability[:, 1] - probability[:, 0]))
        return logits, density


# Levels


def decode(edges, probability, density, tau):
    """Each node's best linked denser neighbour, itself for a peak, and the root of its tree."""
    distance = probability[:, 0]
    kept = (density[edges.src] > density[edges.dst]) & (distance < numpy.float32(1 - tau))
    src, dst, distance = edges.src[kept], edges.dst[kept], distance[kept]
    order = numpy.lexsort((src, distance, dst))
    child, first = numpy.unique(dst[order], return_index=True)
    parent = numpy.arange(edges.count)
    parent[child] = src[order][first]
    root = parent
    while True:
        further = root[root]
        if (further == root).all():
            return len(child), root
        root = further


def cluster_means(features, label, count):
    order = numpy.argsort(label, kind="stable")
    sizes = numpy.bincount(label, minlength=count)
    starts = numpy.concatenate([[0], numpy.cumsum(sizes)[:-1]])
    return numpy.add.reduceat(features[order], starts) / sizes[:, None].astype(numpy.float32)


def cluster(features, network, messages_type, options, clock):
    """A cluster per point, and the counts of every level."""
    ids = numpy.arange(len(features))
    # The node of the current level that every point belongs to.
    label = ids
    means = None
    levels = []
    uses_average = network.input_width() == 2 * features.shape[1]
    while len(ids) > options.k:
        rows = unit_rows(features[ids])
        similarities, neighbors = clock.measure(
            "neighbors", lambda: nearest_neighbors(rows, options.k))

        def graph():
            edges = Edges(similarities, neighbors)
            return edges, messages_type(edges)

        edges, messages = clock.measure("graph", graph)
        x = rows
        if uses_average:
            x = numpy.hstack([rows, rows if means is None else means])
        probability, density = clock.measure(
            "network", lambda: network(torch.from_numpy(x), edges, messages))
        added, root = clock.measure(
            "decode", lambda: decode(edges, probability, density, options.tau))
        levels.append({"nodes": len(ids), "edges": len(edges.src), "merged": added})

        def coarsen():
            peaks, place = numpy.unique(root, return_inverse=True)
            coarse = place[label]
            average = cluster_means(features, coarse, len(peaks)) if uses_average else None
            return ids[peaks], coarse, average

        ids, label, means = clock.measure("coarsen", coarsen)
        if added == 0 or len(levels) == options.levels:
            break
    return label, levels


def same_partition(a, b):
    """Whether two labelings group the same points."""
    pairs = len(numpy.unique(numpy.stack([a, b]), axis=1)[0])
    return pairs == len(numpy.unique(a)) == len(numpy.unique(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features")
    parser.add_argument("--model", required=True)
    parser.add_argument("--k", type=int, default=10, help="places of a list, the point included")
    parser.add_argument("--tau", type=float, default=0.8)
    parser.add_argument("--levels", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--messages", choices=["auto", "dgl", "torch"], default="auto")
    parser.add_argument("--output", help="labels, .npy")
    parser.add_argument("--expected", help="labels that must come out, up to their names")
    options = parser.parse_args()

    faiss.omp_set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    messages = TorchMessages
    if options.messages != "torch":
        try:
            import dgl  # noqa: F401

            messages = DGLMessages
        except Exception as error:  # a missing or mismatched native library raises anything
            if options.messages == "dgl":
                raise SystemExit(f"error: dgl: {error}")

    features = numpy.load(options.features).astype(numpy.float32)
    network = Network(read_tensors(options.model))
    clock = Clock()
    start, start_cpu = time.perf_counter(), time.process_time()
    label, levels = cluster(features, network, messages, options, clock)
    report = {
        "elapsedSeconds": time.perf_counter() - start,
        "cpuSeconds": time.process_time() - start_cpu,
        "phaseSeconds": clock.elapsed, "phaseCpuSeconds": clock.cpu, "levels": levels,
        "clusters": int(label.max()) + 1 if len(label) else 0, "messages": messages.name,
        "kernels": openblas_core(), "torch": torch.__version__,
        "peakBytes": own_peak_bytes(),
    }
    if options.output:
        numpy.save(options.output, label)
    print(json.dumps(report))
    if options.expected and not same_partition(label, numpy.load(options.expected)):
        raise SystemExit(f"error: not the clusters of {options.expected}")


if __name__ == "__main__":
    main()
