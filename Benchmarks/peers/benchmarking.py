"""What the benchmarks share: peers' packages, building, points, measured runs, JSON lines."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "Benchmarks" / "peers"
WORK = ROOT / ".build-peers"
RESULTS = ROOT / "Benchmarks" / "results"


# Packages


def enter_environment(*optional):
    """Continues this program in an environment that has the peers' packages, made if missing.

    `optional` names further requirement files of which not every package need be there.
    """
    directory = WORK / "venv"
    python = directory / "bin" / "python"
    if not python.exists():
        say(f"making {directory.relative_to(ROOT)}")
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    for name in ("requirements.txt", *optional):
        wanted = (PEERS / name).read_text()
        stamp = directory / f"installed-{name}"
        if stamp.exists() and stamp.read_text() == wanted:
            continue
        packages = [l for l in wanted.splitlines() if l and not l.startswith("#")]
        # Optional packages one by one: one that does not install leaves the others.
        for group in [[p] for p in packages] if name in optional else [packages]:
            say(f"installing {' '.join(group)}")
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            done = subprocess.run(pip + group)
            if done.returncode != 0:
                if name not in optional:
                    sys.exit(f"error: could not install {' '.join(group)}")
                say(f"without {' '.join(group)}")
        stamp.write_text(wanted)
    if Path(sys.prefix).resolve() != directory.resolve():
        os.execv(python, [str(python), *sys.argv])


def peer_python():
    return WORK / "venv" / "bin" / "python"


def peer_environment(tuned, threads=1):
    """Variables for a peer: as many threads, and its OpenBLAS at the processor's speed if tuned."""
    environment = {
        "OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads), "DGLBACKEND": "pytorch",
    }
    if tuned:
        environment["OPENBLAS_CORETYPE"] = best_core_type()
    return environment


def best_core_type():
    """The fastest kernels of OpenBLAS that this processor can run, or that HIGHLAND_KERNEL limits highland to.

    OpenBLAS releases do not know processors that came later and fall back to SSE3 without a word.
    """
    flags = processor_flags()
    limit = os.environ.get("HIGHLAND_KERNEL")
    if limit in {"avx2", "portable"}:
        return "Haswell" if limit == "avx2" else "Nehalem"
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        return "SkylakeX"
    return "Haswell" if {"avx2", "fma"} <= flags else "Nehalem"


# Machine


def processor_flags():
    return set(_cpu_field("flags").split())


def _cpu_field(name):
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.split(":")[0].strip() == name:
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


def core_count():
    return len(os.sched_getaffinity(0))


def provenance():
    """What every JSON line says: commit, host, processor, cores, how busy the machine was."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    return {
        "commit": commit, "host": platform.node(), "cpu": _cpu_field("model name"),
        "cores": core_count(), "load": round(os.getloadavg()[0], 2),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


# Highland


def build_highland():
    """The release build of the program."""
    say("building highland")
    command = ["swift", "build", "-c", "release", "--product", "highland"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:] + "error: highland does not build")
    return ROOT / ".build" / "release" / "highland"


def highland_command(program, arguments, ranks, threads):
    """Under mpirun for more than one rank; each rank is bound to a core of its own if it can be.

    More ranks than cores share them. Within Scripts/with-hosts they are on its hosts.
    """
    command = [str(program), *map(str, arguments), "--threads", str(threads)]
    if ranks == 1:
        return command
    launcher = [os.environ.get("HIGHLAND_MPIRUN", "mpirun"), "-n", str(ranks)]
    if "HIGHLAND_MPIRUN" in os.environ:
        pass
    elif ranks * threads > core_count():
        launcher += ["--oversubscribe", "--bind-to", "none"]
    elif threads > 1:
        launcher += ["--map-by", f"slot:PE={threads}"]
    return launcher + command


def points(program, count, dimensions, seed=0):
    """A file of generated points, made once."""
    directory = WORK / "points" / f"{count}x{dimensions}-seed{seed}"
    if not directory.exists():
        say(f"generating {count} x {dimensions}")
        directory.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [program, "generate", "--points", str(count), "--dimensions", str(dimensions),
             "--seed", str(seed), "--test-share", "1", "--output", directory],
            check=True, stdout=subprocess.DEVNULL)
    return directory / "features_test.npy"


# Runs


class Measured:
    """One finished process with all it started.

    Peak memory is not here: the system's figure counts this program at the time of the start. The
    measured programs report their own.
    """

    def __init__(self, elapsed, usage, output):
        self.elapsed_seconds = elapsed
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.output = output


def variables(environment):
    """Those of a measured command: one thread of OpenBLAS, with the kernels that it chooses, unless said otherwise."""
    settings = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    settings["OPENBLAS_NUM_THREADS"] = "1"
    if os.geteuid() == 0:
        settings |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return settings | (environment or {})


def measure(command, environment=None, time_limit=7200):
    """Runs a command to its end; exits with its error output if it fails."""
    settings = variables(environment)
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command], env=settings, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    streams = {}
    readers = [
        threading.Thread(target=lambda n, s: streams.__setitem__(n, s.read()), args=pair)
        for pair in (("out", process.stdout), ("err", process.stderr))]
    alarm = threading.Timer(time_limit, process.terminate)
    for thread in [*readers, alarm]:
        thread.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    elapsed = time.perf_counter() - start
    alarm.cancel()
    for thread in readers:
        thread.join()
    if process.returncode != 0:
        words = " ".join(str(word) for word in command)
        sys.exit(f"{streams['err'][-4000:]}error: exit code {process.returncode}: {words}")
    return Measured(elapsed, usage, streams["out"])


def measured_lines(command, environment, time_limit):
    """The lines that a command prints, as they come; exits if it fails or takes longer than the limit."""
    process = subprocess.Popen(
        [str(word) for word in command], env=variables(environment), text=True,
        stdout=subprocess.PIPE)
    alarm = threading.Timer(time_limit, process.terminate)
    alarm.start()
    try:
        yield from process.stdout
    finally:
        alarm.cancel()
        process.stdout.close()
    if process.wait() != 0:
        sys.exit(f"exit code {process.returncode}, limit {time_limit:g} s")


def recall(lists, exact):
    """The share of the exact neighbours that lists contain, by index, of the rows that have them (-2 in others)."""
    import numpy

    asked = numpy.flatnonzero(exact[:, 0] != -2)
    hits = [len(numpy.intersect1d(lists[i], exact[i])) for i in asked]
    return float(numpy.mean(hits)) / exact.shape[1]


def own_peak_bytes():
    """The most memory that this process has had at a time."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def scratch(name):
    """An empty directory for the files of one run."""
    directory = WORK / "runs" / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


# Results


def say(text):
    print(text, file=sys.stderr, flush=True)


class Results:
    """A file of JSON lines, one a run."""

    def __init__(self, name, path=None):
        self.path = Path(path) if path else RESULTS / f"{name}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.common = {"benchmark": name, **provenance()}

    def add(self, **values):
        line = self.common | {"load": round(os.getloadavg()[0], 2)} | values
        with open(self.path, "a") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def shown_path(self):
        return os.path.relpath(self.path)


def median(values):
    return statistics.median(values)


def table(header, rows):
    """Columns of text, numbers to the right."""
    rows = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths)))
        for row in rows)


def warn_if_busy():
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"the machine is busy (load {load:.1f}): trust CPU seconds, not elapsed ones")
