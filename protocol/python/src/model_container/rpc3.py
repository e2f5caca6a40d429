"""The messages of RPC 3 (protocol/rpc-3.md): decoders and encoders, without a socket.

Decoders are total: every sequence of frames gives a message or a ``WireError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Sequence, Tuple, Union

from .wire import Buffer, DataType, Frames, WireError, name, no_more, present, read_u32, read_u64, text, u32, u64

VERSION = 3

_NEW_CONTAINER, _CONTENT, _HEARTBEAT = 0, 1, 2
_PREDICT, _FEEDBACK = 0, 1


@dataclass(frozen=True)
class Heartbeat:
    """From a container: I am there. RPC 4 has the same one."""

    def frames(self) -> List[Buffer]:
        return [b"", u32(_HEARTBEAT)]


@dataclass(frozen=True)
class NewContainer:
    """From a container: what it serves."""

    model_name: str
    model_version: str
    data_type: DataType

    def frames(self) -> List[Buffer]:
        return [
            b"",
            u32(_NEW_CONTAINER),
            self.model_name.encode("utf-8"),
            self.model_version.encode("utf-8"),
            b"%d" % self.data_type,
            u32(VERSION),
        ]


@dataclass(frozen=True, repr=False)
class Response:
    """From a container: one output for each input of a batch, in UTF-8."""

    id: int
    outputs: Sequence[bytes]

    def __repr__(self) -> str:
        return f"Response(id={self.id}, {len(self.outputs)} outputs)"

    def frames(self) -> List[Buffer]:
        header = b"".join([u64(len(self.outputs)), *(u64(len(output)) for output in self.outputs)])
        return [b"", u32(_CONTENT), u32(self.id), u64(len(header)), header, *self.outputs]


@dataclass(frozen=True)
class KeepAlive:
    """From a frontend: I know your session."""

    def frames(self) -> List[Buffer]:
        return [b"", u32(VERSION), u32(_HEARTBEAT), u32(0)]


@dataclass(frozen=True)
class RequestMetadata:
    """From a frontend: I don't know your session; send *new container*."""

    def frames(self) -> List[Buffer]:
        return [b"", u32(VERSION), u32(_HEARTBEAT), u32(1)]


@dataclass(frozen=True, repr=False)
class _Request:
    id: int
    data_type: DataType
    inputs: Sequence[Buffer]

    def __repr__(self) -> str:
        what = f"{len(self.inputs)} inputs of {self.data_type.name.lower()}"
        return f"{type(self).__name__}(id={self.id}, {what})"

    def _frames(self, request_type: int) -> List[Buffer]:
        sizes = (u64(len(value)) for value in self.inputs)
        header = b"".join([u64(self.data_type), u64(len(self.inputs)), *sizes])
        head = [b"", u32(VERSION), u32(_CONTENT), u32(self.id), u32(request_type), u64(len(header)), header]
        return [*head, *self.inputs]


@dataclass(frozen=True, repr=False)
class Predict(_Request):
    """From a frontend: a batch."""

    def frames(self) -> List[Buffer]:
        return self._frames(_PREDICT)


@dataclass(frozen=True, repr=False)
class Feedback(_Request):
    """From a frontend, in theory: nothing is defined that a container could do with it."""

    def frames(self) -> List[Buffer]:
        return self._frames(_FEEDBACK)


FromFrontend = Union[KeepAlive, RequestMetadata, Predict, Feedback]
FromContainer = Union[Heartbeat, NewContainer, Response]


def decode_from_frontend(frames: Frames) -> FromFrontend:
    _empty(frames)
    version = read_u32(_fixed(frames, 1, 4, "the RPC version"))
    if version != VERSION:
        raise WireError("unsupported-version", 1, f"RPC version {VERSION}", str(version))
    message_type = read_u32(_fixed(frames, 2, 4, "the type"))
    if message_type == _HEARTBEAT:
        kind = read_u32(_fixed(frames, 3, 4, "the heartbeat type"))
        if kind > 1:
            raise WireError("unknown-heartbeat-type", 3, "0 or 1", str(kind))
        no_more(frames, 4)
        return RequestMetadata() if kind == 1 else KeepAlive()
    if message_type != _CONTENT:
        raise WireError("unknown-type", 2, "type 1 or 2", str(message_type))
    batch = read_u32(_fixed(frames, 3, 4, "the id"))
    request = read_u32(_fixed(frames, 4, 4, "the request type"))
    if request > 1:
        raise WireError("unknown-request-type", 4, "0 or 1", str(request))
    header = _header(frames, 6, 2)
    number = read_u64(header, 0)
    if number > 4:
        raise WireError("unknown-data-type", 6, "a data type from 0 to 4", str(number))
    data_type = DataType(number)
    inputs = _contents(frames, 7, header, 16)
    for index, value in enumerate(inputs):
        frame = 7 + index
        _size(header, 16 + 8 * index, value, frame)
        if len(value) % data_type.size:
            raise WireError("element-size", frame, f"a multiple of {data_type.size} bytes", f"{len(value)} bytes")
        if data_type is DataType.STRING:
            text(value, frame, "an input")
    return Predict(batch, data_type, inputs) if request == _PREDICT else Feedback(batch, data_type, inputs)


def decode_from_container(frames: Frames) -> FromContainer:
    _empty(frames)
    message_type = read_u32(_fixed(frames, 1, 4, "the type"))
    if message_type == _HEARTBEAT:
        no_more(frames, 2)
        return Heartbeat()
    if message_type == _NEW_CONTAINER:
        return _new_container(frames)
    if message_type != _CONTENT:
        raise WireError("unknown-type", 1, "a type from 0 to 2", str(message_type))
    batch = read_u32(_fixed(frames, 2, 4, "the id"))
    header = _header(frames, 4, 1)
    outputs = _contents(frames, 5, header, 8)
    for index, output in enumerate(outputs):
        _size(header, 8 + 8 * index, output, 5 + index)
        text(output, 5 + index, "an output")
    return Response(batch, tuple(bytes(output) for output in outputs))


def _new_container(frames: Frames) -> NewContainer:
    model_name = name(present(frames, 2, "the model's name"), 2, "the model's name")
    model_version = name(present(frames, 3, "the model's version"), 3, "the model's version")
    # Clipper's containers may send a NUL after the digit, and anything after that; or 8 bytes of version.
    digit = bytes(present(frames, 4, "the data type")[:2])
    if not digit[:1] or digit[:1] not in b"01234" or digit[1:] not in (b"", b"\0"):
        raise WireError("unknown-data-type", 4, "one digit from 0 to 4", ascii(digit))
    version_frame = present(frames, 5, "the RPC version")
    if len(version_frame) not in (4, 8):
        raise WireError("frame-length", 5, "4 bytes", f"{len(version_frame)} bytes")
    version = read_u32(version_frame) if len(version_frame) == 4 else read_u64(version_frame)
    if version != VERSION:
        raise WireError("unsupported-version", 5, f"RPC version {VERSION}", str(version))
    no_more(frames, 6)
    return NewContainer(model_name, model_version, DataType(int(digit[:1])))


def _empty(frames: Frames) -> None:
    length = len(present(frames, 0, "the empty frame"))
    if length:
        raise WireError("not-empty", 0, "an empty frame", f"{length} bytes")


def _fixed(frames: Frames, index: int, size: int, what: str) -> Buffer:
    frame = present(frames, index, what)
    if len(frame) != size:
        raise WireError("frame-length", index, f"{what} in {size} bytes", f"{len(frame)} bytes")
    return frame


def _header(frames: Frames, index: int, words_before_sizes: int) -> Buffer:
    """The header at this index, whose length and count fit each other. The count is its last word before the sizes."""
    stated = read_u64(_fixed(frames, index - 1, 8, "the header's length"))
    header = present(frames, index, "the header")
    words = len(header) // 8
    if stated != len(header):
        raise WireError("header-length", index, f"the stated {stated} bytes", f"{len(header)} bytes")
    if words < words_before_sizes or len(header) % 8:
        raise WireError(
            "header-length", index, f"8 × n bytes, {8 * words_before_sizes} at least", f"{len(header)} bytes"
        )
    # Compared as a quotient of what came, rather than a product of what was claimed.
    count = read_u64(header, 8 * (words_before_sizes - 1))
    if count != words - words_before_sizes:
        raise WireError("header-length", index, f"{words - words_before_sizes} sizes", f"a count of {count}")
    return header


def _contents(frames: Frames, start: int, header: Buffer, header_start: int) -> Tuple[Buffer, ...]:
    """The frames that follow the header, as many as it says."""
    count = len(header) // 8 - header_start // 8
    if count != len(frames) - start:
        raise WireError("count-mismatch", start - 1, f"{len(frames) - start} items", f"a count of {count}")
    return tuple(frames[start:])


def _size(header: Buffer, at: int, value: Buffer, frame: int) -> None:
    stated = read_u64(header, at)
    if stated != len(value):
        raise WireError("size-mismatch", frame, f"the stated {stated} bytes", f"{len(value)} bytes")
