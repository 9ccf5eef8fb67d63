"""What Benchmarks/compare-quality does itself: FC-ES, choices without labels, which runs there are, the tables."""

import argparse
import importlib.machinery
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
PEERS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PEERS))

import fces
import quality_peer
import quality_table


def program():
    """The script, which has no suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader("compare_quality", str(PEERS.parent / "compare-quality"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare_quality", loader))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = written
    return module


def some_rows(count, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    rows[5] = rows[3]  # a copy
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_lists_begin_with_the_point_and_fall():
    rows = some_rows(50)
    similarities, neighbors = fces.nearest(rows, 12)
    assert (neighbors[:, 0] == np.arange(50)).all()
    assert (np.diff(similarities, axis=1) <= 1e-6).all()
    all_pairs = rows @ rows.T
    np.fill_diagonal(all_pairs, 1)
    assert np.allclose(similarities, -np.sort(-all_pairs, axis=1)[:, :12], atol=1e-6)
    assert fces.nearest(rows, 100)[1].shape == (50, 50)


def test_weights_are_sums_over_common_places(monkeypatch):
    monkeypatch.setattr(fces, "BLOCK", 16)  # several
    similarities, neighbors = fces.nearest(some_rows(50), 7)
    found = fces.weights(similarities, neighbors)
    steps = np.exp(-(2 - 2 * similarities.astype(float)) / 0.5)
    steps /= steps.sum(axis=1, keepdims=True)
    lists = [dict(zip(places, probabilities)) for places, probabilities in zip(neighbors, steps)]
    for i in range(50):
        for place, j in enumerate(neighbors[i]):
            common = lists[i].keys() & lists[j].keys()
            assert found[i, place] == pytest.approx(sum(lists[i][c] + lists[j][c] for c in common) / 2)
    assert found[:, 0] == pytest.approx(1)


def test_a_list_ends_at_the_first_weight_below():
    weight = np.array([[1, 0.5, 0.1, 0.9], [1, 0.1, 0.9, 0.9], [1, 0.22, 0.3, 0.3]])
    assert fces.kept(weight, 0.22).tolist() == [
        [False, True, False, False], [False, False, False, False], [False, True, True, True]]


def test_the_silhouette_is_that_of_centroids():
    rows, labels = some_rows(40), np.arange(40) % 6
    labels[0] = 6  # alone
    values = []
    for i in range(40):
        own = [j for j in range(40) if labels[j] == labels[i] and j != i]
        if not own:
            values.append(0)
            continue
        a = np.mean([rows[i] @ rows[j] for j in own])
        b = max(rows[i] @ rows[labels == c].mean(axis=0) for c in range(7) if c != labels[i])
        values.append((a - b) / max(1 - a, 1 - b))
    assert quality_peer.silhouette(rows, labels) == pytest.approx(np.mean(values), abs=1e-5)
    assert quality_peer.silhouette(rows, np.zeros(40, dtype=int)) == 0


def test_noise_is_clusters_of_one_point():
    labels, noise = quality_peer.with_singles([-1, 4, 4, -1, 2])
    assert noise == 2
    assert labels[1] == labels[2] and len(set(labels)) == 4 and set(labels) == {0, 1, 2, 3}
    assert quality_peer.with_singles([-1, -1])[0].tolist() == [0, 1]


class Halves(quality_peer.Method):
    """Cuts the rows at a place."""

    settings = quality_peer.settings(place=[1, 10, 15])

    def labels(self, place):
        return (np.arange(len(self.rows)) >= place).astype(int)


def two_directions(directory):
    rows = np.eye(2)[[0] * 10 + [1] * 10]
    for split in ("train", "test"):
        np.save(directory / f"features_{split}.npy", rows * 3)
        np.save(directory / f"labels_{split}.npy", np.arange(20) // 10)


def test_settings_are_chosen_by_the_truth_of_the_train_split_or_by_silhouette(tmp_path):
    two_directions(tmp_path)
    found = quality_peer.tuned(Halves, tmp_path, argparse.Namespace(seed=0, every=1))
    assert found["parameters"] == {"place": 10} and found["tried"] == 3
    assert (found["pairwise"], found["bcubed"]) == (1, 1)
    rows, truth = quality_peer.split(tmp_path, "test", 2)
    assert len(rows) == len(truth) == 10 and np.allclose(np.linalg.norm(rows, axis=1), 1)
    setting, labels = quality_peer.without_labels(Halves(quality_peer.split(tmp_path, "test", 1)[0], 0))
    assert setting == {"place": 10} and labels.sum() == 10


def options(tmp_path, **changed):
    return argparse.Namespace(**{
        "directory": tmp_path, "sets": ["a"], "methods": ["fc-es", "finch"], "modes": ["tuned", "label-free"], "seeds": [0, 1],
        "again": False, "program": None} | changed)


RUN = {"pairwise": 0.5, "bcubed": 0.6, "clusters": 3, "cpuSeconds": 1.0, "peakBytes": 2e6, "parameters": {}}


def test_runs_that_are_recorded_are_not_made_again(tmp_path, monkeypatch):
    compare = program()
    (tmp_path / "a").mkdir()
    two_directions(tmp_path / "a")
    made = []

    def peer(directory, method, mode, seed, every):
        made.append((method, mode, seed))
        if method == "finch" and mode == "tuned" and len(made) < 6:
            sys.exit("no memory")
        return RUN

    monkeypatch.setattr(compare, "peer", peer)
    results = compare.bench.Results("compare-quality", tmp_path / "lines.jsonl")
    failed = compare.run_all(options(tmp_path), results)
    assert failed == ["finch (tuned, seed None) on a"]
    assert len(made) == 6  # two seeds and two modes of one method, two modes of another
    assert compare.run_all(options(tmp_path), results) == [] and made[6:] == [("finch", "tuned", None)]
    compare.run_all(options(tmp_path, again=True, methods=["finch"]), results)
    assert len(made) == 9
    assert len(results.path.read_text().splitlines()) == 8 and len(quality_table.read(results.path)) == 6


def test_large_sets_are_thinned_alike_in_both_splits(tmp_path, monkeypatch):
    compare = program()
    counts = {"features_train.npy": 30_000, "features_test.npy": 60_000}
    monkeypatch.setattr(compare, "row_count", lambda path: counts[path.name])
    methods = ["average-linkage", "finch", "highland", "highland-network"]
    cells = list(compare.cells(options(tmp_path, methods=methods), tmp_path))
    assert {every for method, _, _, every in cells if method == "average-linkage"} == {4}
    assert {every for method, _, _, every in cells if method != "average-linkage"} == {1}
    assert [cell[1:3] for cell in cells if cell[0] == "finch"] == [
        ("tuned", 0), ("tuned", 1), ("label-free", 0), ("label-free", 1)]
    assert [cell[1:3] for cell in cells if cell[0] == "highland"] == [("tuned", 0), ("tuned", 1), ("label-free", None)]
    assert [cell[1:3] for cell in cells if cell[0] == "highland-network"] == [("label-free", None)]


def test_the_table_has_means_ranges_and_gaps(tmp_path):
    path = tmp_path / "lines.jsonl"

    def line(name, method, seed, pairwise, every=1):
        return json.dumps(RUN | {
            "set": name, "method": method, "mode": "tuned", "seed": seed, "pairwise": pairwise, "everyRow": every})

    path.write_text("\n".join([
        line("a", "fc-es", 0, 0.1), line("a", "fc-es", 0, 0.4), line("a", "fc-es", 1, 0.5), line("omniglot", "fc-es", 0, 0.7),
        line("cfp", "fc-es", 0, 0.8), line("cfp", "average-linkage", None, 0.9),
        line("omniglot", "average-linkage", None, 0.3, every=4)]))
    text = quality_table.tables(quality_table.read(path)).splitlines()
    # Sets that are known come first; the mean is over those that all methods have.
    assert text[0] == "| | method | omniglot | cfp | a | mean of 2 |"
    assert text[2] == "| tuned on the train split | FC-ES | 70.0 / 60.0 | 80.0 / 60.0 | 45.0 ± 5.0 / 60.0 ± 0.0 | 75.0 / 60.0 |"
    assert text[3] == "| tuned on the train split | average linkage | 30.0 / 60.0 (1/4) | 90.0 / 60.0 | – | 60.0 / 60.0 |"
    assert "| tuned on the train split | FC-ES | 3, 1.0 s, 2 MB | 3, 1.0 s, 2 MB | 3, 1.0 s, 2 MB |" in text
