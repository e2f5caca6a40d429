"""The messages of RPC 4 (protocol/rpc-4.md, sections 3 and 5), and their codes. Each gives its frames."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from .items import Items
from .rpc4_fields import Type, encode_head
from .wire import Buffer, DataType, u32

ROUTING_ID_PREFIX = b"rpc4-"


class FailureCode(enum.IntEnum):
    """Why a batch, or an input of one, has no answer."""

    MODEL_ERROR = 1
    INVALID_INPUT = 2
    TOO_LATE = 3
    TOO_LARGE = 4
    UNAVAILABLE = 5


class RefusalCode(enum.IntEnum):
    """Why a frontend doesn't take a registration."""

    INPUT_TYPE_MISMATCH = 1
    UNKNOWN_FIELD = 2
    TOO_MANY = 3
    INVALID = 4
    NOT_WANTED = 5


class GoodbyeCode(enum.IntEnum):
    """Why a session ends in good order."""

    STOPPING = 1
    RESTARTING = 2
    DRAINED = 3


@dataclass(frozen=True)
class Welcome:
    """From a frontend: register. Times are in milliseconds."""

    heartbeat_interval: int
    silence_limit: int
    software: Optional[str] = None

    def frames(self) -> List[Buffer]:
        return [
            encode_head(
                Type.WELCOME,
                heartbeat_interval=self.heartbeat_interval,
                silence_limit=self.silence_limit,
                software=self.software,
            )
        ]


@dataclass(frozen=True)
class Accepted:
    """From a frontend: the registration holds."""

    replica: Optional[int] = None

    def frames(self) -> List[Buffer]:
        return [encode_head(Type.ACCEPTED, replica=self.replica)]


@dataclass(frozen=True)
class Refused:
    """From a frontend: the registration is not taken. ``retry_after`` is in milliseconds."""

    code: int
    reason: Optional[str] = None
    retry_after: Optional[int] = None

    def frames(self) -> List[Buffer]:
        return [encode_head(Type.REFUSED, code=self.code, reason=self.reason, retry_after=self.retry_after)]


@dataclass(frozen=True)
class HeartbeatAnswer:
    """From a frontend: I know your session. (A container's heartbeat is that of RPC 3.)"""

    def frames(self) -> List[Buffer]:
        return [encode_head(Type.HEARTBEAT)]


@dataclass(frozen=True)
class Goodbye:
    """From either side: it is about to go."""

    code: int
    reason: Optional[str] = None

    def frames(self) -> List[Buffer]:
        return [encode_head(Type.GOODBYE, code=self.code, reason=self.reason)]


@dataclass(frozen=True)
class Notice:
    """From either side: something of a later specification, to be ignored."""

    type: int


@dataclass(frozen=True)
class Predict:
    """From a frontend: a batch. The budget is in microseconds."""

    id: int
    items: Items
    budget: Optional[int] = None
    traceparent: Optional[str] = None
    tracestate: Optional[str] = None

    def frames(self) -> List[Buffer]:
        head = encode_head(
            Type.PREDICT,
            self.id,
            item_type=self.items.data_type,
            budget=self.budget,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
        )
        return [head, *_item_frames(self.items)]


@dataclass(frozen=True)
class Feedback:
    """From a frontend: what the right answers were."""

    id: int
    items: Items
    labels: Items

    def frames(self) -> List[Buffer]:
        head = encode_head(
            Type.FEEDBACK,
            self.id,
            item_type=self.items.data_type,
            vectors=self.labels.vectors,
            label_type=self.labels.data_type,
        )
        return [head, *_item_frames(self.items), *_item_frames(self.labels)]


@dataclass(frozen=True)
class Register:
    """From a container: what it serves, and how much of it it takes."""

    model_name: str
    model_version: str
    input_type: DataType
    software: Optional[str] = None
    largest_batch: Optional[int] = None
    batches_in_flight: Optional[int] = None
    metadata: Optional[Tuple[Tuple[str, str], ...]] = None
    beats_while_busy: bool = False
    wants_feedback: bool = False

    def frames(self) -> List[Buffer]:
        return [
            encode_head(
                Type.REGISTER,
                model_name=self.model_name,
                model_version=self.model_version,
                input_type=self.input_type,
                software=self.software,
                largest_batch=self.largest_batch,
                batches_in_flight=self.batches_in_flight,
                metadata=self.metadata,
                beats_while_busy=self.beats_while_busy,
                wants_feedback=self.wants_feedback,
            )
        ]


@dataclass(frozen=True)
class ItemError:
    """Why the input at this index has no result."""

    index: int
    code: int
    text: str

    @property
    def size(self) -> int:
        """Bytes of its entry in the errors frame."""
        return 12 + len(self.text.encode("utf-8"))


@dataclass(frozen=True)
class Results:
    """From a container: one result, or one error, for each input. The time is in microseconds."""

    id: int
    items: Items
    errors: Sequence[ItemError] = ()
    compute_time: Optional[int] = None

    def frames(self) -> List[Buffer]:
        head = encode_head(
            Type.RESULTS,
            self.id,
            item_type=self.items.data_type,
            vectors=self.items.vectors,
            compute_time=self.compute_time,
        )
        frames: List[Buffer] = [head, *_item_frames(self.items)]
        if self.errors:
            parts: List[bytes] = []
            for error in self.errors:
                encoded = error.text.encode("utf-8")
                parts += [u32(error.index), u32(error.code), u32(len(encoded)), encoded]
            frames.append(b"".join(parts))
        return frames


@dataclass(frozen=True)
class Failure:
    """From a container: a whole batch failed, or was not computed."""

    id: int
    code: int
    reason: Optional[str] = None

    def frames(self) -> List[Buffer]:
        return [encode_head(Type.FAILURE, self.id, code=self.code, reason=self.reason)]


def _item_frames(items: Items) -> List[Buffer]:
    return [items.offsets.astype("<u4").tobytes(), items.data]
