"""RPC 4 (protocol/rpc-4.md): its messages, and their decoders, without a socket.

Decoders are total: every sequence of frames gives a message or a ``WireError``. One whose frame 0 is empty is of RPC 3.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import rpc3
from .items import Items
from .rpc4_fields import FIRST_NOTICE, FROM_CONTAINER, FROM_FRONTEND, VERSION, Type, decode_head
from .rpc4_messages import (
    ROUTING_ID_PREFIX,
    Accepted,
    Failure,
    FailureCode,
    Feedback,
    Goodbye,
    GoodbyeCode,
    HeartbeatAnswer,
    ItemError,
    Notice,
    Predict,
    RefusalCode,
    Refused,
    Register,
    Results,
    Welcome,
)
from .wire import Buffer, DataType, Frames, WireError, no_more, present, read_u32, text

__all__ = [
    "ROUTING_ID_PREFIX",
    "VERSION",
    "Accepted",
    "Failure",
    "FailureCode",
    "Feedback",
    "FromContainer",
    "FromFrontend",
    "Goodbye",
    "GoodbyeCode",
    "HeartbeatAnswer",
    "ItemError",
    "Notice",
    "Predict",
    "RefusalCode",
    "Refused",
    "Register",
    "Results",
    "Welcome",
    "decode_from_container",
    "decode_from_frontend",
]

FromFrontend = Union[Welcome, Accepted, Refused, HeartbeatAnswer, Predict, Feedback, Goodbye, Notice]
FromContainer = Union[Register, Results, Failure, Goodbye, Notice]


def decode_from_frontend(frames: Frames) -> Union[FromFrontend, rpc3.FromFrontend]:
    if not len(present(frames, 0, "the head")):
        return rpc3.decode_from_frontend(frames)
    kind, batch, fields = decode_head(frames[0], FROM_FRONTEND)
    if kind == Type.PREDICT:
        _count(frames, 3)
        items = _items(frames, 1, fields["item-type"])
        trace = fields.get("traceparent"), fields.get("tracestate")
        return Predict(batch, items, fields.get("budget"), *trace)
    if kind == Type.FEEDBACK:
        vectors = _vectors(fields.get("vectors", False), fields["label-type"])
        _count(frames, 5)
        items = _items(frames, 1, fields["item-type"])
        labels = _labels(frames, fields["label-type"], vectors, len(items))
        return Feedback(batch, items, labels)
    if kind >= FIRST_NOTICE:
        return Notice(kind)
    no_more(frames, 1)
    if kind == Type.WELCOME:
        return Welcome(fields["heartbeat-interval"], fields["silence-limit"], fields.get("software"))
    if kind == Type.ACCEPTED:
        return Accepted(fields.get("replica"))
    if kind == Type.REFUSED:
        return Refused(fields["code"], fields.get("reason"), fields.get("retry-after"))
    if kind == Type.GOODBYE:
        return Goodbye(fields["code"], fields.get("reason"))
    return HeartbeatAnswer()


def decode_from_container(frames: Frames) -> Union[FromContainer, rpc3.FromContainer]:
    if not len(present(frames, 0, "the head")):
        return rpc3.decode_from_container(frames)
    kind, batch, fields = decode_head(frames[0], FROM_CONTAINER)
    if kind == Type.RESULTS:
        return _results(frames, batch, fields["item-type"], fields.get("vectors", False), fields.get("compute-time"))
    if kind >= FIRST_NOTICE:
        return Notice(kind)
    no_more(frames, 1)
    if kind == Type.REGISTER:
        return Register(
            fields["model-name"],
            fields["model-version"],
            fields["input-type"],
            fields.get("software"),
            fields.get("largest-batch"),
            fields.get("batches-in-flight"),
            fields.get("metadata"),
            fields.get("beats-while-busy", False),
            fields.get("wants-feedback", False),
        )
    if kind == Type.FAILURE:
        return Failure(batch, fields["code"], fields.get("reason"))
    return Goodbye(fields["code"], fields.get("reason"))


def _results(frames: Frames, batch: int, item_type: DataType, flag: bool, compute_time: Optional[int]) -> Results:
    vectors = _vectors(flag, item_type)
    present(frames, 1, "the offsets")
    data = present(frames, 2, "the items")
    no_more(frames, 4)
    offsets = _offsets(frames, 1)
    errors = _errors(frames[3], offsets) if len(frames) == 4 else ()
    items = Items(item_type, offsets, data, vectors)
    _check_items(items, 2, one_each=item_type.is_numeric and not vectors, failed=[error.index for error in errors])
    return Results(batch, items, errors, compute_time)


def _vectors(flag: bool, data_type: DataType) -> bool:
    if flag and not data_type.is_numeric:
        raise WireError("field-value", 0, "vectors of a numeric type", data_type.name.lower())
    return flag


def _count(frames: Frames, count: int) -> None:
    present(frames, count - 1, f"{count} frames")
    no_more(frames, count)


def _items(frames: Frames, at: int, data_type: DataType) -> Items:
    items = Items(data_type, _offsets(frames, at), frames[at + 1])
    _check_items(items, at + 1, one_each=False, failed=())
    return items


def _labels(frames: Frames, data_type: DataType, vectors: bool, count: int) -> Items:
    labels = Items(data_type, _offsets(frames, 3), frames[4], vectors)
    if len(labels) != count:
        raise WireError("offsets", 3, f"labels for {count} inputs", f"{len(labels)} labels")
    _check_items(labels, 4, one_each=data_type.is_numeric and not vectors, failed=())
    return labels


def _offsets(frames: Frames, at: int) -> NDArray[np.int64]:
    """The offsets in the frame at this index, which fit the frame of items after it."""
    frame, length = frames[at], len(frames[at + 1])
    if not len(frame) or len(frame) % 4:
        raise WireError("offsets", at, "4 × (n + 1) bytes", f"{len(frame)} bytes")
    offsets = np.frombuffer(frame, dtype="<u4").astype(np.int64)
    if offsets[0] != 0:
        raise WireError("offsets", at, "the first offset 0", str(offsets[0]))
    descents = np.flatnonzero(offsets[1:] < offsets[:-1])
    if len(descents):
        index = int(descents[0]) + 1
        raise WireError("offsets", at, f"offset {index} of {offsets[index - 1]} at least", str(offsets[index]))
    if offsets[-1] != length:
        raise WireError("offsets", at, f"the last offset {length}, the length of the items", str(offsets[-1]))
    return offsets


def _check_items(items: Items, frame: int, one_each: bool, failed: Sequence[int]) -> None:
    size = items.data_type.size
    if items.data_type is DataType.STRING:
        items.texts = [text(items[index], frame, f"item {index}") for index in range(len(items))]
        return
    lengths = np.diff(items.offsets)
    wrong = lengths != size if one_each else lengths % size != 0
    if failed:
        # Those that failed are empty: that was checked with the errors.
        wrong[list(failed)] = False
    found = np.flatnonzero(wrong)
    if len(found):
        index = int(found[0])
        expected = f"{size} bytes" if one_each else f"a multiple of {size} bytes"
        raise WireError("element-size", frame, f"{expected} in item {index}", f"{lengths[index]} bytes")


def _errors(frame: Buffer, offsets: NDArray[np.int64]) -> Tuple[ItemError, ...]:
    count = len(offsets) - 1
    if not len(frame):
        raise WireError("item-errors", 3, "one error at least", "an empty frame")
    entries: List[Tuple[int, int, memoryview]] = []
    at, last = 0, -1
    while at < len(frame):
        if at + 12 > len(frame) or at + 12 + read_u32(frame, at + 8) > len(frame):
            raise WireError("item-errors", 3, "whole entries", f"{len(frame) - at} bytes at the end")
        index, code, length = read_u32(frame, at), read_u32(frame, at + 4), read_u32(frame, at + 8)
        if index <= last or index >= count:
            raise WireError("item-errors", 3, f"an index above {last} and below {count}", str(index))
        if offsets[index] != offsets[index + 1]:
            raise WireError("item-errors", 3, f"item {index}, which failed, to be empty", "one that is not")
        entries.append((index, code, memoryview(frame)[at + 12 : at + 12 + length]))
        at, last = at + 12 + length, index
    return tuple(ItemError(index, code, text(part, 3, f"the text of item {index}")) for index, code, part in entries)
