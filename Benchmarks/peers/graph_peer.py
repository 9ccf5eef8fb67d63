#!/usr/bin/env python3
"""The graph classifiers of `highland graphs train`, in PyTorch Geometric: a peer for speed and accuracy.

Reads a collection in TUDataset format and the splits and the encoder's choice of columns from a report of
`highland graphs train --report`, trains on each split and prints one JSON object. Batches are dealt anew
in every epoch; dense networks pad a batch to its largest graph.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F
from torch import nn
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import DenseSAGEConv, GCNConv, dense_diff_pool, global_mean_pool
from torch_geometric.utils import to_dense_adj, to_dense_batch

import benchmarking as bench


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--network", choices=["gcn", "diffpool", "diffpool2"], required=True)
    parser.add_argument("--report", type=Path, help="whose splits to use; without: all graphs, timing only")
    parser.add_argument("--features", default="labels", help="of labels, attributes, degree, with commas")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--clusters", help="of each pooling level, with commas; default: 160, or 38,10 for diffpool2")
    parser.add_argument(
        "--patience", type=int, default=0, help="epochs without a better validation; 0: all epochs")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.005)
    parser.add_argument("--link-weight", type=float, default=1.0)
    parser.add_argument("--entropy-weight", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folds", type=int, help="only so many of the splits")
    parser.add_argument("--max-nodes", type=int, help="leave larger graphs out")
    parser.add_argument("--weight-decay", type=float, default=0.0)
    return parser.parse_args()


def read(directory, features):
    """The graphs, as PyTorch Geometric wants them."""
    name = next(directory.glob("*_A.txt")).name[: -len("_A.txt")]

    def table(kind, dtype):
        path = directory / f"{name}_{kind}.txt"
        return numpy.loadtxt(path, delimiter=",", dtype=dtype, ndmin=2) if path.exists() else None

    graph_of = table("graph_indicator", int)[:, 0] - 1
    edges = table("A", int) - 1
    edges = edges[edges[:, 0] != edges[:, 1]]
    edges = numpy.unique(edges, axis=0)
    classes = numpy.unique(table("graph_labels", int)[:, 0], return_inverse=True)[1]
    columns = []
    if "labels" in features and (labels := table("node_labels", int)) is not None:
        values = numpy.unique(labels[:, 0])
        columns.append((labels[:, :1] == values[None, :]).astype(numpy.float32))
    if "attributes" in features and (values := table("node_attributes", numpy.float32)) is not None:
        deviation = values.std(0)
        columns.append((values - values.mean(0)) / numpy.where(deviation > 0, deviation, 1))
    if "degree" in features:
        degree = numpy.bincount(edges[:, 0], minlength=len(graph_of))
        columns.append(numpy.log1p(degree)[:, None].astype(numpy.float32))
    if not columns:
        columns.append(numpy.ones((len(graph_of), 1), numpy.float32))
    rows = torch.from_numpy(numpy.concatenate(columns, 1).astype(numpy.float32))
    count = len(classes)
    first = numpy.searchsorted(graph_of, numpy.arange(count + 1))
    first_edge = numpy.searchsorted(graph_of[edges[:, 0]], numpy.arange(count + 1))
    return [
        Data(
            x=rows[first[g] : first[g + 1]], y=torch.tensor([int(classes[g])]),
            edge_index=torch.from_numpy(edges[first_edge[g] : first_edge[g + 1]].T - first[g]).long(),
        )
        for g in range(count)
    ], int(classes.max()) + 1


class Flat(nn.Module):
    def __init__(self, width, classes, hidden=64, layers=3):
        super().__init__()
        self.convolutions = nn.ModuleList(
            [GCNConv(width if i == 0 else hidden, hidden) for i in range(layers)])
        self.last = nn.Linear(hidden, classes)

    def forward(self, data):
        x = data.x
        for convolution in self.convolutions:
            x = convolution(x, data.edge_index).relu()
        x = global_mean_pool(x, data.batch)
        return F.log_softmax(self.last(x), -1), 0.0, 0.0


class Block(nn.Module):
    """SAGE layers, each with ReLU and batch normalisation; their results side by side."""

    def __init__(self, width, hidden, out, layers, linear):
        super().__init__()
        sizes = [width] + [hidden] * (layers - 1) + [out]
        self.convolutions = nn.ModuleList(
            [DenseSAGEConv(a, b) for a, b in zip(sizes, sizes[1:])])
        self.norms = nn.ModuleList([nn.BatchNorm1d(b) for b in sizes[1:]])
        self.linear = nn.Linear(sum(sizes[1:]), out) if linear else None

    def forward(self, x, adjacency, mask=None):
        results = []
        for convolution, norm in zip(self.convolutions, self.norms):
            x = convolution(x, adjacency, mask).relu()
            x = norm(x.reshape(-1, x.shape[-1])).reshape(x.shape)
            results.append(x)
        x = torch.cat(results, -1)
        return x if self.linear is None else self.linear(x).relu()


class DiffPool(nn.Module):
    def __init__(self, width, classes, clusters, hidden=64, layers=1):
        super().__init__()
        self.pools, self.embeds = nn.ModuleList(), nn.ModuleList()
        for count in clusters:
            self.pools.append(Block(width, hidden, count, layers, True))
            self.embeds.append(Block(width, hidden, hidden, layers, False))
            width = hidden * layers
        self.after = Block(width, hidden, hidden, layers, False) if layers > 1 else None
        self.first = nn.Linear(width, hidden)
        self.last = nn.Linear(hidden, classes)

    def forward(self, data):
        x, mask = to_dense_batch(data.x, data.batch)
        adjacency = to_dense_adj(data.edge_index, data.batch, max_num_nodes=x.shape[1])
        link = entropy = 0.0
        for pool, embed in zip(self.pools, self.embeds):
            assignment = pool(x, adjacency, mask)
            z = embed(x, adjacency, mask)
            x, adjacency, l, e = dense_diff_pool(z, adjacency, assignment, mask)
            link, entropy, mask = link + l, entropy + e, None
        if self.after is not None:
            x = self.after(x, adjacency)
        x = self.first(x.mean(1)).relu()
        return F.log_softmax(self.last(x), -1), link, entropy


def network(options, width, classes):
    if options.network == "gcn":
        return Flat(width, classes)
    clusters = options.clusters or ("160" if options.network == "diffpool" else "38,10")
    clusters = [int(count) for count in clusters.split(",")]
    return DiffPool(width, classes, clusters, layers=1 if len(clusters) == 1 else 3)


def judge(model, loader):
    model.eval()
    loss = right = count = 0
    with torch.no_grad():
        for data in loader:
            output, _, _ = model(data)
            loss += float(F.nll_loss(output, data.y, reduction="sum"))
            right += int((output.argmax(-1) == data.y).sum())
            count += data.num_graphs
    return loss / count, right / count


def train(options, graphs, classes, split):
    torch.manual_seed(options.seed)
    model = network(options, graphs[0].x.shape[1], classes)
    optimiser = torch.optim.AdamW(
        model.parameters(), options.learning_rate, weight_decay=options.weight_decay)
    loader = DataLoader([graphs[g] for g in split["train"]], options.batch, shuffle=True)
    others = {
        name: DataLoader([graphs[g] for g in split[name]], options.batch)
        for name in ("validation", "test") if split[name]
    }
    best, kept, seconds = math.inf, None, []
    for epoch in range(options.epochs):
        model.train()
        start = time.perf_counter()
        for data in loader:
            optimiser.zero_grad()
            output, link, entropy = model(data)
            loss = F.nll_loss(output, data.y)
            loss = loss + options.link_weight * link + options.entropy_weight * entropy
            loss.backward()
            optimiser.step()
        seconds.append(time.perf_counter() - start)
        if "validation" in others:
            value, _ = judge(model, others["validation"])
            if value < best:
                best, kept, since = value, {k: v.clone() for k, v in model.state_dict().items()}, 0
            else:
                since += 1
                if options.patience and since >= options.patience:
                    break
    if kept is not None:
        model.load_state_dict(kept)
    accuracy = judge(model, others["test"])[1] if "test" in others else None
    return accuracy, seconds


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    graphs, classes = read(options.collection, options.features.split(","))
    if options.max_nodes:
        graphs = [graph for graph in graphs if graph.num_nodes <= options.max_nodes]
    if options.report:
        splits = [fold["split"] for fold in json.loads(options.report.read_text())["folds"]]
    else:
        splits = [{"train": list(range(len(graphs))), "validation": [], "test": []}]
    accuracies, epochs, seconds = [], [], []
    for split in splits[: options.folds]:
        accuracy, elapsed = train(options, graphs, classes, split)
        accuracies.append(accuracy)
        epochs.append(len(elapsed))
        seconds += elapsed
    print(json.dumps({
        "network": options.network, "accuracies": accuracies, "epochs": epochs,
        "mean": None if accuracies[0] is None else float(numpy.mean(accuracies)),
        "deviation": None if accuracies[0] is None else float(numpy.std(accuracies)),
        "secondsPerEpoch": float(numpy.median(seconds)), "seconds": seconds,
        "torch": torch.__version__, "peakBytes": bench.own_peak_bytes(),
    }))


if __name__ == "__main__":
    main()
