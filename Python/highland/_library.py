"""The C library, by ctypes: the declarations of highland.h, and how its functions are called."""

from __future__ import annotations

import ctypes
import importlib
import operator
import os
import pathlib
import sys
import threading
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_ssize_t, c_uint64, c_void_p
from typing import Any, Callable, Literal, Union

from . import _words

ProgressOption = Union[Literal["auto"], bool, Callable[[str, int, float], Any]]
ProgressFunction = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int32, c_double)


class Matrix(ctypes.Structure):
    _fields_ = [
        ("data", c_void_p), ("rows", c_int64), ("columns", c_int64), ("row_stride", c_int64),
        ("column_stride", c_int64), ("dtype", c_int32)]


class Options(ctypes.Structure):
    _fields_ = [
        ("method", c_char_p), ("k", c_int64), ("model_path", c_char_p), ("model_data", c_void_p),
        ("model_size", c_size_t), ("granularity", c_char_p), ("tau", POINTER(c_double)),
        ("tau_later", POINTER(c_double)), ("tau_by_silhouette", c_int32), ("max_levels", c_int32), ("hierarchy", c_char_p),
        ("groups", c_void_p), ("min_clusters", c_int64), ("max_clusters", c_int64), ("search", c_char_p), ("recall", c_double), ("invalid_rows", c_char_p), ("threads", c_int32),
        ("keep_levels", c_int32), ("strengths", c_int32), ("progress", ProgressFunction),
        ("context", c_void_p)]

    def set_model(self, data: bytes | str | os.PathLike[str] | None) -> None:
        """Names the model: its contents, which must live as long as the options, or a path; None for the one in the box."""
        if isinstance(data, bytes):
            self.model_data = ctypes.cast(c_char_p(data), c_void_p)
            self.model_size = len(data)
        elif data is not None:
            self.model_path = os.fsencode(data)


class ReportOptions(ctypes.Structure):
    _fields_ = [
        ("names", c_char_p), ("images", c_char_p), ("truth", c_void_p), ("truth_count", c_int64), ("top", c_int32)]


class TrainingOptions(ctypes.Structure):
    _fields_ = [
        ("seed", c_uint64), ("epochs", c_int32), ("graphs", c_int32), ("width", c_int32),
        ("k", c_int32), ("threads", c_int32), ("progress", ProgressFunction), ("context", c_void_p),
        ("no_transform", c_int32)]


def _load() -> ctypes.CDLL:
    # The variable is for tests of a library that is not in a wheel.
    path = os.environ.get("HIGHLAND_LIBRARY") or str(pathlib.Path(__file__).with_name("libhighland.so"))
    if not os.path.exists(path):
        raise ImportError(
            f"{path} is missing: Scripts/build-wheel makes a wheel that carries the library; to use this package "
            "where it lies, set HIGHLAND_LIBRARY to the path of libhighland.so")
    library = ctypes.CDLL(path)

    def declare(name: str, result: Any, *arguments: Any) -> None:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments

    message = POINTER(c_void_p)
    declare("highland_version", c_char_p)
    declare("highland_free", None, c_void_p)
    declare("highland_cluster", c_int, POINTER(Matrix), POINTER(Options), message, message)
    declare(
        "highland_cluster_over", c_int, c_ssize_t, POINTER(Matrix), POINTER(Options), message, message)
    declare("highland_clustering_free", None, c_void_p)
    declare("highland_clustering_row_count", c_int64, c_void_p)
    declare("highland_clustering_labels", POINTER(c_int64), c_void_p)
    declare("highland_clustering_level_count", c_int32, c_void_p)
    declare("highland_clustering_level_labels", POINTER(c_int64), c_void_p, c_int32)
    declare("highland_clustering_strengths", POINTER(c_float), c_void_p)
    declare("highland_clustering_report", c_char_p, c_void_p)
    declare("highland_clustering_model", c_void_p, c_void_p, POINTER(c_size_t))
    declare("highland_report", c_int, c_char_p, POINTER(ReportOptions), message, message)
    declare(
        "highland_fit", c_int, POINTER(Matrix), c_void_p, c_char_p, POINTER(Options), message, message)
    declare("highland_fitted_free", None, c_void_p)
    declare("highland_assign", c_int, c_void_p, POINTER(Matrix), POINTER(Options), c_void_p, message)
    declare("highland_knn", c_int, POINTER(Matrix), c_int64, POINTER(Options), c_void_p, c_void_p, message)
    declare("highland_evaluate", c_int, c_void_p, c_void_p, c_int64, message, message)
    declare(
        "highland_train", c_int, POINTER(Matrix), c_void_p, POINTER(TrainingOptions), message,
        POINTER(c_size_t), message)
    return library


library = _load()
version: str = library.highland_version().decode()

# Threads of the library do not exist in a child of fork, which would wait for them.
_used = False
_forked = False


def _after_fork() -> None:
    global _forked
    _forked = _used


os.register_at_fork(after_in_child=_after_fork)

_INVALID_DATA = 2
_CANCELLED = 5
_ERRORS = {1: ValueError, 2: ValueError, 3: ValueError, 4: MemoryError}


def whole(value: Any, name: str, least: int = 1) -> int:
    """An option that is a whole number; 0, which leaves the choice to the library, for None."""
    if value is None:
        return 0
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} = {_words.shown(value)}: expected a whole number") from None
    if not least <= number < 2**31:
        raise ValueError(f"{name} = {number}: expected {least} or more" + (", below 2³¹" if number >= 2**31 else ""))
    return number


def real(value: Any, name: str, least: float, most: float) -> float | None:
    """An option that is a number in least ... most; None for None."""
    if value is None:
        return None
    try:
        # A text may be one of a number, but is none.
        number = float("x" if isinstance(value, (str, bytes)) else value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} = {_words.shown(value)}: expected a number") from None
    if not least <= number <= most:
        raise ValueError(f"{name} = {number}: expected {least:g} ... {most:g}")
    return number


def thread_count(threads: int | None) -> int:
    """How many threads the library is to use; 0 for all processors that the process may use.

    Parameters
    ----------
    threads : int, optional
        Default: all, but no more than OMP_NUM_THREADS says, if that is set.
    """
    if threads is not None:
        try:
            return whole(threads, "threads")
        except ValueError as error:
            raise ValueError(f"{error}; None stands for all processors") from None
    # A list is of levels that are nested; the first is the outermost.
    limit = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if not limit.isdecimal() or int(limit) == 0:
        return 0
    return min(int(limit), len(os.sched_getaffinity(0)))


def take_text(memory: c_void_p) -> str:
    """A text of the library, whose memory is given back."""
    text = ctypes.string_at(memory.value or 0).decode()
    library.highland_free(memory)
    return text


def _tqdm() -> Any:
    """The bar of tqdm; None where that is not installed."""
    try:
        return importlib.import_module("tqdm").tqdm
    except ImportError:
        return None


class Watcher:
    """Shows progress, and stops the work when it is told to. Called by the library."""

    def __init__(self, progress: ProgressOption) -> None:
        if not (callable(progress) or isinstance(progress, bool) or progress == "auto"):
            raise ValueError(f"progress={progress!r}: expected 'auto', True, False or a function")
        self._function: Callable[[str, int, float], Any] | None = None
        if callable(progress):
            self._function = progress
        elif progress is True or progress == "auto" and sys.stderr is not None and sys.stderr.isatty():
            self._function = self._bar if _tqdm() else self._line
        self._shown: Any = None
        self._written = False
        self.is_cancelled = False
        self.error: BaseException | None = None
        self.callback = ProgressFunction(self._call)
        # That of the library that is called.
        self.function = ""

    def _call(self, _context: Any, phase: bytes, level: int, fraction: float) -> int:
        if self._function is not None and not self.is_cancelled:
            try:
                self._function(phase.decode(), level, fraction)
            except BaseException as error:
                self.error, self.is_cancelled = error, True
        return int(self.is_cancelled)

    def _line(self, phase: str, level: int, fraction: float) -> None:
        sys.stderr.write(f"\r\033[K{_words.progress(self.function, level)}: {phase} {fraction:.0%}")
        sys.stderr.flush()
        self._written = True

    def _bar(self, phase: str, level: int, fraction: float) -> None:
        text = f"{_words.progress(self.function, level)}: {phase}"
        if self._shown is None:
            self._shown = _tqdm()(
                total=100, leave=False, file=sys.stderr, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}")
        if self._shown.desc != text:
            self._shown.reset()
            self._shown.set_description_str(text, refresh=False)
        self._shown.n = round(100 * fraction)
        self._shown.refresh()

    def close(self) -> None:
        if self._shown is not None:
            self._shown.close()
        if self._written:
            sys.stderr.write("\r\033[K")


def call(
    name: str, *arguments: Any, watcher: Watcher, keeping: Any = None,
    explain: Callable[[], str] = lambda: "", on_this_thread: bool = False,
) -> None:
    """Calls a function of the library, and raises what it complains of.

    The function runs on a thread of its own, so that Ctrl-C is seen at once; the work then ends at its next
    step, in the background if that takes longer, and with the process if that ends first. `keeping` lives until
    then. What `explain` returns is added to complaints about rows. `on_this_thread` is for what communicates by MPI,
    and cannot be left to the background.
    """
    global _used
    if _forked:
        raise RuntimeError(
            "this process was forked from one that had used highland, whose threads do not survive that; "
            "start it with multiprocessing's 'spawn' or 'forkserver'")
    _used = True
    watcher.function = name
    message = c_void_p()
    status: list[int] = []

    def run() -> None:
        status.append(getattr(library, name)(*arguments, ctypes.byref(message)))
        kept.clear()

    kept = [keeping, arguments, watcher]
    try:
        if on_this_thread:
            run()
        else:
            _wait_for(run, name, watcher)
    finally:
        watcher.close()
    if status[0] == 0:
        return
    text = take_text(message)
    if watcher.error is not None:
        raise watcher.error
    if status[0] == _CANCELLED:
        raise KeyboardInterrupt
    if status[0] == _INVALID_DATA:
        text += explain()
    raise _ERRORS.get(status[0], RuntimeError)(_words.in_python(text))


def _wait_for(work: Callable[[], None], name: str, watcher: Watcher) -> None:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.1)
    except BaseException:
        watcher.is_cancelled = True
        thread.join(0.5)
        raise
