"""What a function may know of the batch that it is called for."""

from __future__ import annotations

import contextvars
import time
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class BatchContext:
    """One batch, as ``context()`` gives it."""

    batch_id: Optional[int] = None
    """The frontend's number of the batch; None without a network."""
    rpc: Optional[int] = None
    """The version of the protocol that it came by; None without a network."""
    deadline: Optional[float] = None
    """When its budget is spent, by ``time.monotonic()``; None for a batch without a budget, as all of RPC 3 are."""
    traceparent: Optional[str] = None
    """W3C Trace Context, of the batch's first query that came with one."""
    tracestate: Optional[str] = None

    @property
    def remaining(self) -> Optional[float]:
        """Seconds that are left of the budget, below 0 when it is spent; None without one."""
        return None if self.deadline is None else self.deadline - time.monotonic()


current: "contextvars.ContextVar[BatchContext]" = contextvars.ContextVar("model_container_batch")


def context() -> BatchContext:
    """The batch that the calling function works on.

    :raises RuntimeError: outside of a model's function.
    """
    try:
        return current.get()
    except LookupError:
        raise RuntimeError(
            "context() is known only within a model's function, while it is called for a batch"
        ) from None
