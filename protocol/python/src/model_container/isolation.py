"""Which runs of a model's function answer a batch: one, or more of parts of it when that fails."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Set
from typing import Any, Callable, Generator, List, Optional, Tuple, Union

import numpy as np

from .errors import BatchFailed, Unavailable, WrongOutputCount
from .outputs import Outputs

Span = Tuple[int, int]
Outcome = Union[Outputs, BaseException]
Runs = Generator[Span, Outcome, Outputs]
"""Yields the spans of inputs to run the function on, is sent what came of it, and returns the outputs of all."""


def most_runs(count: int) -> int:
    """How often the function is run again for a batch of this many inputs that failed."""
    return 2 * math.ceil(math.log2(count)) + 8 if count > 1 else 0


def batch_runs(count: int, isolates: bool, is_late: Callable[[], bool]) -> Runs:
    """Runs for a function of batches. One that fails for all inputs is run again on halves, the largest parts first,
    until each guilty input stands alone, or too many runs were made, or the budget is spent. The errors stand in place
    of the outputs. Those that were not found innocent by then have the error of the part that they were last in.

    :raises BatchFailed: if the function failed and nothing could be saved.
    """
    outcome = _checked((yield 0, count), count)
    if not isinstance(outcome, BaseException):
        return outcome
    if not isolates or count < 2 or isinstance(outcome, (WrongOutputCount, Unavailable)):
        raise BatchFailed(outcome)
    outputs: List[Any] = [outcome] * count
    failed: List[Tuple[int, int, int]] = [(-count, 0, count)]
    left = most_runs(count)
    while failed:
        _, start, end = heapq.heappop(failed)
        middle = (start + end) // 2
        for part in ((start, middle), (middle, end)):
            if left == 0 or is_late():
                return outputs
            left -= 1
            size = part[1] - part[0]
            outcome = _checked((yield part), size)
            if not isinstance(outcome, BaseException):
                outputs[part[0] : part[1]] = list(outcome)
                continue
            outputs[part[0] : part[1]] = [outcome] * size
            if size > 1:
                heapq.heappush(failed, (-size, *part))
    return outputs


def single_runs(count: int, late: Callable[[], Optional[BaseException]]) -> Runs:
    """Runs for a function of one input: one for each, while the budget lasts."""
    outputs: List[Any] = []
    for index in range(count):
        error = late() if index else None
        if error is not None:
            return outputs + [error] * (count - index)
        outcome = yield index, index + 1
        outputs.append(outcome if isinstance(outcome, BaseException) else outcome[0])
    return outputs


# They have a length, and no outputs in an order.
_NO_LISTS = (str, bytes, bytearray, memoryview, Mapping, Set)


def _checked(outcome: Outcome, count: int) -> Outcome:
    """The outputs, as something that has a length and that many; the error, otherwise."""
    if isinstance(outcome, BaseException):
        return outcome
    if hasattr(outcome, "__array__") and not isinstance(outcome, np.ma.MaskedArray):
        outcome = np.asarray(outcome)
    is_list = hasattr(outcome, "__len__") and not isinstance(outcome, _NO_LISTS)
    if not is_list or (isinstance(outcome, np.ndarray) and outcome.ndim == 0):
        return TypeError(f"the model returned a {type(outcome).__name__} rather than a list with one output per input")
    if len(outcome) != count:
        return WrongOutputCount(count, len(outcome))
    return outcome
