"""What is sent for a batch that the model has done with."""

from __future__ import annotations

import logging
from typing import List, Optional, Union

from . import rpc3, rpc4
from .actions import Answer, Job
from .errors import BatchFailed, code_of, message_of
from .outputs import Outputs, encoded, texts
from .rpc4 import FailureCode, ItemError
from .wire import shortened

LONGEST_TEXT = 4096
"""Bytes of the text of an error."""

LONGEST_ITEMS = 2**28
"""Bytes of the outputs of a batch, and of its errors: a longer frame would end the connection (protocol/rpc-4.md,
section 6.2)."""

logger = logging.getLogger("model_container")


def answer(job: Job, result: Union[Outputs, BaseException], compute_time: Optional[int] = None) -> Answer:
    """The message for what the model made of a batch; None where RPC 3 has no message for it.

    :param result: the outputs, with errors in the places of those that failed, or what failed for the whole batch.
    :param compute_time: of the model, in microseconds.
    """
    if isinstance(result, BaseException):
        cause = result.cause if isinstance(result, BatchFailed) else result
        logger.error("batch %d of %d inputs failed", job.id, len(job.items), exc_info=cause)
        return failure(job, cause)
    return _response(job, result) if job.version == rpc3.VERSION else _results(job, result, compute_time)


def failure(job: Job, cause: BaseException) -> Answer:
    """The message for a batch that failed as a whole."""
    if job.version == rpc3.VERSION:
        return None
    return rpc4.Failure(job.id, code_of(cause), _text(cause))


def _response(job: Job, outputs: Outputs) -> Optional[rpc3.Response]:
    for index, output in enumerate(outputs):
        if isinstance(output, BaseException):
            _log_errors(job, {index: output})
            return None
    try:
        return rpc3.Response(job.id, texts(outputs))
    except Exception as error:
        logger.error("batch %d: the model's outputs have no text", job.id, exc_info=error)
        return None


def _results(job: Job, outputs: Outputs, compute_time: Optional[int]) -> Answer:
    items, failed = encoded(outputs)
    if failed:
        _log_errors(job, failed)
    errors: List[ItemError] = [
        ItemError(index, code_of(failed[index]), _text(failed[index])) for index in sorted(failed)
    ]
    for what, length in (("outputs", len(items.data)), ("errors", sum(error.size for error in errors))):
        if length > LONGEST_ITEMS:
            reason = f"the {what} have {length} bytes, and {LONGEST_ITEMS} at most go into an answer"
            return rpc4.Failure(job.id, FailureCode.TOO_LARGE, reason)
    return rpc4.Results(job.id, items, tuple(errors), compute_time)


def _text(error: BaseException) -> str:
    return shortened(message_of(error), LONGEST_TEXT).decode("utf-8")


def _log_errors(job: Job, failed: "dict[int, BaseException]") -> None:
    first = min(failed)
    logger.warning(
        "batch %d: %d of %d inputs failed, the first of them input %d",
        job.id,
        len(failed),
        len(job.items),
        first,
        exc_info=failed[first],
    )
