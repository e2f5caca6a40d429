"""A container's process, and those that its model starts: who hears the signals that stop it, and who serves."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from multiprocessing import current_process
from typing import Any, Callable, Dict, Iterator, NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)

_before: Dict[int, Any] = {}
"""The handlers that the program had before those of its container; empty while no signal stops one."""

_forking = threading.local()


@contextmanager
def signals_that_stop(stop: Callable[[str], None]) -> Iterator[None]:
    """Within this, SIGTERM and SIGINT call ``stop`` with their name, in this process alone: one that is forked has the
    handlers that were there before. Outside of the main thread no signal can be handled: they are the caller's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: object) -> None:
        stop(signal.Signals(number).name)

    for number in SIGNALS:
        _before[number] = signal.getsignal(number)
        signal.signal(number, handle)
    try:
        yield
    finally:
        _restore()


def _restore() -> None:
    for number, handler in _before.items():
        # None is one that C code has set, which cannot be set from here.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
    _before.clear()


def _before_fork() -> None:
    # What reaches the child before it has its own handlers would be lost: it waits until then.
    if _before:
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_fork() -> None:
    mask = _forking.__dict__.pop("mask", None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _after_fork_in_child() -> None:
    _restore()
    _after_fork()


if hasattr(os, "register_at_fork"):  # Where there is no fork, there is none of this either.
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)


def is_imported_again() -> bool:
    """Whether multiprocessing imports the program in a process that it starts afresh (spawn, forkserver), for the
    functions that are in it: what it serves is served already."""
    # The same mark by which multiprocessing refuses to start processes there.
    return bool(getattr(current_process(), "_inheriting", False))


def end_forked(outcome: object) -> NoReturn:
    """Ends a process that a model's function has forked, and that has come out of the function with this result or
    error: it has none of the container's threads, and would wait for batches for ever."""
    status = 0
    if isinstance(outcome, SystemExit) and (outcome.code is None or isinstance(outcome.code, int)):
        status = outcome.code or 0
    elif isinstance(outcome, BaseException):
        status = 1
        traceback.print_exception(type(outcome), outcome, outcome.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # There is none, or nobody reads it.
            pass
    os._exit(status & 0xFF)
