"""The tables and the picture of Benchmarks/compare-quality, from its JSON lines."""

import json

SETS = ["clinc150", "omniglot", "inventors", "cfp", "glyphs"]
METHODS = {
    "highland": "Highland", "highland-network": "Highland, network in the box", "fc-es": "FC-ES", "evoc": "EVoC",
    "plscan": "PLSCAN", "hdbscan": "HDBSCAN", "finch": "FINCH", "average-linkage": "average linkage",
    "components": "components"}
MODES = {"tuned": "tuned on the train split", "label-free": "label-free"}
COLORS = {"tuned": "#0072B2", "label-free": "#D55E00"}


def read(path):
    """The last line of every set, method, mode and seed."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text().splitlines())
    return {(line["set"], line["method"], line["mode"], line["seed"]): line for line in lines}


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def sets_of(lines):
    """Those with figures elsewhere first, then in the order of the file."""
    there = dict.fromkeys(key[0] for key in lines)
    return [name for name in SETS if name in there] + [name for name in there if name not in SETS]


def rows_of(lines):
    """Methods and modes that have a line, in the order of the tables."""
    there = {key[1:3] for key in lines}
    return [(method, mode) for mode in MODES for method in METHODS if (method, mode) in there]


def of(lines, name, method, mode):
    """The lines of all seeds."""
    return [line for key, line in lines.items() if key[:3] == (name, method, mode)]


def f_text(runs):
    """Pairwise / BCubed F in percent: the mean over seeds and half the range, if there are several."""
    parts = []
    for kind in ("pairwise", "bcubed"):
        values = [100 * run[kind] for run in runs]
        spread = f" ± {(max(values) - min(values)) / 2:.1f}" if len(values) > 1 else ""
        parts.append(f"{mean(values):.1f}{spread}")
    thinned = "" if runs[0]["everyRow"] == 1 else f" (1/{runs[0]['everyRow']})"
    return " / ".join(parts) + thinned


def cost_text(runs):
    seconds = mean(run["cpuSeconds"] for run in runs)
    memory = mean(run["peakBytes"] for run in runs) / 1e6
    return f"{mean(run['clusters'] for run in runs):.0f}, {seconds:.{1 if seconds < 100 else 0}f} s, {memory:.0f} MB"


def tables(lines):
    """F, then clusters and costs; a dash where a method did not run on a set."""
    sets, rows = sets_of(lines), rows_of(lines)
    shared = [name for name in sets if all(of(lines, name, *row) for row in rows)]

    def table(cell, further, last):
        text = ["| | method | " + " | ".join([*sets, *further]) + " |", "|---" * (2 + len(sets) + len(further)) + "|"]
        for method, mode in rows:
            cells = [cell(runs) if runs else "–" for runs in (of(lines, name, method, mode) for name in sets)]
            text.append("| " + " | ".join([MODES[mode], METHODS[method], *cells, *last(method, mode)]) + " |")
        return "\n".join(text)

    def mean_text(method, mode):
        runs = [of(lines, name, method, mode) for name in shared]
        means = [100 * mean(mean(run[kind] for run in some) for some in runs) for kind in ("pairwise", "bcubed")]
        return [" / ".join(f"{value:.1f}" for value in means)]

    quality = table(f_text, [f"mean of {len(shared)}"], mean_text) if shared else table(f_text, [], lambda *_: [])
    return quality + "\n\n" + table(cost_text, [], lambda *_: [])


def draw(lines, path):
    """A panel per set: every method's F, a dot for pairwise and a square for BCubed, by mode."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    matplotlib.rcParams["svg.hashsalt"] = "quality"  # the same file every time
    sets = sets_of(lines)
    methods = [method for method in METHODS if any(key[1] == method for key in lines)]
    height = 0.36 * len(methods) + 1.5
    figure, axes = pyplot.subplots(1, len(sets), figsize=(2.3 * len(sets) + 1.6, height), sharey=True, squeeze=False)
    for axis, name in zip(axes[0], sets):
        for place, method in enumerate(methods):
            for mode, offset in zip(MODES, (-0.17, 0.17)):
                runs = of(lines, name, method, mode)
                if not runs:
                    continue
                y, color = place + offset, COLORS[mode]
                ends = [100 * mean(run[kind] for run in runs) for kind in ("pairwise", "bcubed")]
                axis.plot(ends, [y, y], color=color, linewidth=1.4)
                for end, marker in zip(ends, "os"):
                    axis.plot(end, y, marker, color=color, markersize=4.5)
        axis.set_title(name + ("*" if any(line["everyRow"] > 1 for key, line in lines.items() if key[0] == name) else ""))
        axis.set_xlim(0, 100)
        axis.set_xticks([0, 25, 50, 75, 100])
        axis.grid(True, axis="x", alpha=0.3)
        axis.axhspan(-0.5, sum(method.startswith("highland") for method in methods) - 0.5, color="#000000", alpha=0.05)
    axes[0, 0].set_yticks(range(len(methods)), [METHODS[method] for method in methods])
    axes[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    marks = [Line2D([], [], color=COLORS[mode], label=text) for mode, text in MODES.items()]
    marks += [
        Line2D([], [], color="#555555", marker=marker, linestyle="", label=text)
        for marker, text in (("o", "pairwise F, percent"), ("s", "BCubed F, percent"))]
    figure.legend(handles=marks, loc="lower center", ncols=4, fontsize=9, frameon=False)
    figure.tight_layout(rect=(0, 0.4 / height, 1, 1))
    figure.savefig(path, metadata={"Date": None})  # on white, so that it is readable on dark pages, too
    pyplot.close(figure)
