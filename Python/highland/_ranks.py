"""Communicators of mpi4py, which has initialised MPI."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, Callable, TypeVar

T = TypeVar("T")


def handle(comm: Any) -> int:
    """The MPI_Comm of a communicator, as an integer.

    Raises
    ------
    TypeError, ValueError
        For what is no communicator of mpi4py, within one group of ranks, or of another MPI than the library can use.
    """
    MPI: Any = sys.modules.get("mpi4py.MPI")
    if MPI is None or not isinstance(comm, MPI.Intracomm):
        raise TypeError(f"comm={comm!r}: expected a communicator of mpi4py, such as MPI.COMM_WORLD")
    if comm == MPI.COMM_NULL:
        raise ValueError("comm=MPI.COMM_NULL: expected a communicator that this rank is in")
    # Handles of Open MPI and of the ABI of MPI 5 are pointers, those of MPICH itself are numbers.
    if MPI._sizeof(comm) != ctypes.sizeof(ctypes.c_void_p):
        library = MPI.Get_library_version().splitlines()[0].strip("\0 ")
        raise ValueError(f"comm of mpi4py with {library}; expected Open MPI 4 or 5, or the ABI of MPI 5")
    return ctypes.c_ssize_t.from_address(MPI._addressof(comm)).value


def agreed(comm: Any, prepare: Callable[[], tuple[T, dict[str, Any]]]) -> T:
    """The first of what `prepare` returns here, if it raises on no rank, and the second is the same on all.

    Otherwise the same error is raised on all ranks, so that none waits for another.
    """
    try:
        result, replicated = prepare()
    except Exception as error:
        kind = next(kind for kind in (TypeError, ValueError, MemoryError, FileNotFoundError, Exception) if isinstance(error, kind))
        _raise_first(comm.allgather((RuntimeError if kind is Exception else kind, str(error))))
        raise
    _raise_first(comm.allgather(None))
    told = comm.allgather(replicated)
    for rank, theirs in enumerate(told):
        for name, value in told[0].items():
            if theirs[name] != value:
                raise ValueError(f"{name} = {theirs[name]!r} on rank {rank}, {value!r} on rank 0: expected the same")
    return result


@contextlib.contextmanager
def ended_by_interrupts() -> Iterator[None]:
    """While it lasts Ctrl-C ends this process, and with it the job: Python sees none before the library returns."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        # None is a handler that is not Python's, which cannot be set from here.
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)


def _raise_first(errors: list[tuple[type[Exception], str] | None]) -> None:
    """Raises the error of the first rank that has one."""
    for error in errors:
        if error is not None:
            raise error[0](error[1])
