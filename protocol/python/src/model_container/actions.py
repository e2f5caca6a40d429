"""What a session wants done: its actions, the jobs of the model, and the times that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from . import rpc3, rpc4
from .items import Items


@dataclass(frozen=True)
class Timing:
    """The times of the specifications, in seconds."""

    heartbeat_interval: float = 5.0
    silence_limit: float = 30.0
    first_pause: float = 0.1
    longest_pause: float = 5.0
    goodbye_patience: float = 5.0
    linger: float = 5.0
    oversleep: float = 1.0
    """A wake-up later than this was not the frontend's silence: nobody was listening."""


@dataclass(frozen=True)
class Job:
    """A batch for the model. Its number says of which session it is."""

    key: int
    session: int
    version: int
    id: int
    items: Items
    received: float
    deadline: Optional[float] = None
    traceparent: Optional[str] = None
    tracestate: Optional[str] = None


@dataclass(frozen=True)
class Open:
    """Open a socket, with this routing id unless it is None, and connect it."""

    routing_id: Optional[bytes]


Message = Union[rpc3.FromContainer, rpc4.Register, rpc4.Results, rpc4.Failure, rpc4.Goodbye]


@dataclass(frozen=True)
class Send:
    message: Message


@dataclass(frozen=True)
class Run:
    """Let the model answer this batch, after those before it."""

    job: Job


@dataclass(frozen=True)
class Learn:
    """Hand these right answers to the model."""

    feedback: rpc4.Feedback


@dataclass(frozen=True)
class Forget:
    """The frontend knows nothing of the batches that were read so far: those that have not begun are void."""


@dataclass(frozen=True)
class Close:
    """Close the socket, and forget its batches. ``tick`` opens the next session."""

    reason: str
    linger: float = 0.0
    is_fault: bool = True


@dataclass(frozen=True)
class End:
    """Close the socket, and end."""

    reason: str
    linger: float = 0.0


Action = Union[Open, Send, Run, Learn, Forget, Close, End]
Answer = Union[rpc3.Response, rpc4.Results, rpc4.Failure, None]
