"""The published training (Hi-LANDER, Xing et al. 2021) in Python, full graph: what we compare with.

usage: lander_training_peer.py FEATURES.npy LABELS.npy --epochs 5
       lander_training_peer.py --check DIR    (golden training run: DIR/init.safetensors, log.json)

Written after the equations of the authors' published code and in its manner: graphs of every k and
level are built once by faiss, each by decoding the one before with ground-truth density; then one
step per graph and epoch: messages by DGL on torch, the decoder's linear maps once per edge, cross
entropy over the masked edges plus mean squared error of the densities, SGD with momentum and a
cosine schedule. The mean layer with the average feature. Edges of similarity <= 0 are dropped where
the authors abort, and whole arrays are used where they loop over nodes. Inputs, weights and targets
are torch tensors before the first step; nothing is converted within an epoch. With --decode nodes
the decoder's linear maps are done once per node: k - 1 times less work than published. Prints
losses per step and seconds per epoch as JSON, elapsed and of the processor.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import faiss
import numpy
import torch

from benchmarking import own_peak_bytes
from faiss_knn import openblas_core, unit_rows
from lander_peer import (
    DGLMessages, Edges, Network, TorchMessages, cluster_means, nearest_neighbors, read_tensors)


# Graphs


class TrainingGraph:
    """One level of one k: inputs, edges and targets."""

    def __init__(self, name, rows, means, edges, labels, density, messages_type):
        self.name = name
        self.edges = edges
        self.messages = messages_type(edges)
        self.x = torch.from_numpy(numpy.hstack([rows, means]))
        self.density = torch.from_numpy(density)
        same = torch.from_numpy((labels[edges.src] == labels[edges.dst]).astype(numpy.int64))
        self.masked = torch.from_numpy(
            numpy.flatnonzero(density[edges.src] > density[edges.dst]))
        self.is_same = same[self.masked]


def true_density(similarities, neighbors, labels):
    """Mean over all but the first of a list: the similarity, negative for other labels."""
    order = numpy.argsort(1 - similarities, axis=1, kind="stable")
    similarities = numpy.take_along_axis(similarities, order, axis=1)[:, 1:]
    neighbors = numpy.take_along_axis(neighbors, order, axis=1)[:, 1:]
    sign = numpy.where(labels[neighbors] == labels[:, None], 1.0, -1.0)
    return (similarities.astype(numpy.float64) * sign).mean(axis=1).astype(numpy.float32)


def true_roots(edges, density):
    """Each node's root when it joins its most similar denser neighbour."""
    kept = density[edges.src] > density[edges.dst]
    src, dst = edges.src[kept], edges.dst[kept]
    order = numpy.lexsort((src, -edges.similarity.numpy()[kept], dst))
    child, first = numpy.unique(dst[order], return_index=True)
    root = numpy.arange(edges.count)
    root[child] = src[order][first]
    while True:
        further = root[root]
        if (further == root).all():
            return root
        root = further


def training_graphs(features, labels, pairs, messages_type):
    graphs = []
    inputs = unit_rows(features)
    for k, levels in pairs:
        rows, means, level_labels = inputs, inputs, labels
        # The node of the current level that every point belongs to.
        place = numpy.arange(len(inputs))
        for level in range(levels):
            if len(rows) <= k:
                break
            similarities, neighbors = nearest_neighbors(rows, k)
            edges = Edges(similarities, neighbors)
            density = true_density(similarities, neighbors, level_labels)
            graphs.append(TrainingGraph(
                f"k{k}_level{level}", rows, means, edges, level_labels, density, messages_type))
            peaks, coarse = numpy.unique(true_roots(edges, density), return_inverse=True)
            rows, level_labels, place = rows[peaks], level_labels[peaks], coarse[place]
            means = cluster_means(inputs, place, len(peaks))
    return graphs


def read_graph(directory, messages_type):
    """A training graph of the golden numbers, from its files."""
    def array(name):
        return numpy.load(directory / f"{name}.npy")

    edges = Edges.__new__(Edges)
    edges.src, edges.dst = array("src").astype(numpy.int64), array("dst").astype(numpy.int64)
    edges.count = len(array("features"))
    edges.degrees = numpy.bincount(edges.dst, minlength=edges.count)
    edges.weight = torch.from_numpy(array("affine").astype(numpy.float32))
    edges.similarity = torch.from_numpy(array("raw_affine").astype(numpy.float32))
    return TrainingGraph(
        directory.name, array("features"), array("cluster_features"), edges, array("labels"),
        array("density").astype(numpy.float32), messages_type)


# Training


def initial_tensors(dimensions, hidden, layers):
    """As torch.nn.Linear and PReLU begin."""
    half = hidden // 2
    widths = [2 * dimensions, hidden, hidden, half][:layers]
    outs = [hidden, hidden, half, half][:layers]
    maps = {
        f"conv.{layer}.gcn_layer.mlp": (2 * width, out)
        for layer, (width, out) in enumerate(zip(widths, outs))}
    maps |= {name: (outs[-1], half) for name in ("src_mlp", "dst_mlp")}
    maps |= {"classifier_conn.1": (half, half), "classifier_conn.3": (half, 2)}
    tensors = {}
    for name, (fan_in, fan_out) in maps.items():
        linear = torch.nn.Linear(fan_in, fan_out)
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = linear.weight, linear.bias
    for place in (0, 2):
        tensors[f"classifier_conn.{place}.weight"] = torch.full((half,), 0.25)
    return {name: tensor.detach() for name, tensor in tensors.items()}


class Training:
    def __init__(self, tensors, graphs, learning_rate, steps, decodes_nodes):
        self.network = Network(
            {n: t.clone().requires_grad_() for n, t in tensors.items()}, decodes_nodes)
        self.graphs = graphs
        self.optimizer = torch.optim.SGD(
            self.network.tensors.values(), lr=learning_rate, momentum=0.9, weight_decay=1e-5)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self.optimizer, T_max=steps, eta_min=1e-5)

    def epoch(self):
        return [self.step(graph) for graph in self.graphs]

    def step(self, graph):
        """Total, linkage and density loss before the step."""
        logits, density = self.network.logits_and_density(graph.x, graph.edges, graph.messages)
        density_loss = torch.nn.functional.mse_loss(density, graph.density)
        linkage_loss = torch.zeros(())
        if len(graph.masked) > 0:
            linkage_loss = torch.nn.functional.cross_entropy(logits[graph.masked], graph.is_same)
        loss = linkage_loss + density_loss
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return [loss.item(), linkage_loss.item(), density_loss.item()]


# Checks


def check(directory, messages_type, decodes_nodes):
    """The losses of a golden run, step by step, to 1e-4; from its graphs and from our own."""
    directory = Path(directory)
    log = json.loads((directory / "log.json").read_text())
    steps = log["log"]
    if not log["model"]["use_cluster_feat"] or log["model"]["use_GAT"]:
        raise SystemExit(
            f"error: {directory}: the peer has the mean layer with the average feature only")
    names = log["graph_order"]
    stored = [read_graph(directory.parent / "graphs" / name, messages_type) for name in names]
    checks = {"golden graphs": stored}
    data = directory.parents[1] / "tiny"
    if (data / "features.npy").exists():
        pairs = {}
        for name in names:
            k, level = name.removeprefix("k").split("_level")
            pairs[int(k)] = max(pairs.get(int(k), 0), int(level) + 1)
        features, labels = (numpy.load(data / f"{n}.npy") for n in ("features", "labels"))
        own = training_graphs(features, labels, pairs.items(), messages_type)
        for ours, theirs in zip(own, stored, strict=True):
            if ours.name != theirs.name or not numpy.array_equal(ours.edges.src, theirs.edges.src):
                raise SystemExit(
                    f"error: {ours.name}: other edges than {theirs.name} of {directory}")
        checks["our own graphs"] = own
    for graphs_name, graphs in checks.items():
        training = Training(
            read_tensors(directory / "init.safetensors"), graphs, steps[0]["lr"], len(steps),
            decodes_nodes)
        found = sum((training.epoch() for _ in range(len(steps) // len(graphs))), [])
        worst = max(
            abs(ours - theirs[key])
            for losses, theirs in zip(found, steps, strict=True)
            for ours, key in zip(losses, ("loss", "loss_conn", "loss_den")))
        print(f"{len(found)} steps, {graphs_name}: losses within {worst:.1e}", file=sys.stderr)
        if not worst <= 1e-4:
            raise SystemExit(f"error: not the losses of {directory / 'log.json'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features", nargs="?")
    parser.add_argument("labels", nargs="?")
    parser.add_argument("--check", metavar="DIR", help="only repeat this golden training run")
    parser.add_argument("--k", default="10,5,3", help="places of a list, the point included")
    parser.add_argument("--levels", default="2,3,4", help="graphs of each k")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--messages", choices=["auto", "dgl", "torch"], default="auto")
    parser.add_argument("--decode", choices=["edges", "nodes"], default="edges")
    options = parser.parse_args()

    faiss.omp_set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    messages_type = TorchMessages
    if options.messages != "torch":
        try:
            import dgl  # noqa: F401

            messages_type = DGLMessages
        except Exception as error:  # a missing or mismatched native library raises anything
            if options.messages == "dgl":
                raise SystemExit(f"error: dgl: {error}")
    if options.check:
        check(options.check, messages_type, options.decode == "nodes")
        return
    if not options.labels:
        parser.error("FEATURES and LABELS, or --check DIR")

    features = numpy.load(options.features).astype(numpy.float32)
    labels = numpy.load(options.labels)
    pairs = list(zip(
        map(int, options.k.split(",")), map(int, options.levels.split(",")), strict=True))
    start = time.perf_counter()
    graphs = training_graphs(features, labels, pairs, messages_type)
    graph_seconds = time.perf_counter() - start
    training = Training(
        initial_tensors(features.shape[1], options.hidden, options.layers), graphs,
        options.learning_rate, options.epochs * len(graphs), options.decode == "nodes")
    losses, seconds, cpu_seconds = [], [], []
    for _ in range(options.epochs):
        start, start_cpu = time.perf_counter(), time.process_time()
        losses += training.epoch()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - start_cpu)
    print(json.dumps({
        "secondsOfEpochs": seconds, "cpuSecondsOfEpochs": cpu_seconds,
        "graphSeconds": graph_seconds, "losses": losses,
        "graphs": [
            {"name": g.name, "nodes": g.edges.count, "edges": len(g.edges.src),
             "maskedEdges": len(g.masked)} for g in graphs],
        "messages": messages_type.name, "kernels": openblas_core(), "torch": torch.__version__,
        "peakBytes": own_peak_bytes(),
    }))


if __name__ == "__main__":
    main()
