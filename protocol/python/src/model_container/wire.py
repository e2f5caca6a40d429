"""What both versions of the protocol share: data types, integers, text, names, and the error of a decoder."""

from __future__ import annotations

import enum
import struct
from typing import Sequence, Union

Buffer = Union[bytes, bytearray, memoryview]
Frames = Sequence[Buffer]

LONGEST_NAME = 256


class WireError(Exception):
    """A message that is none: what is wrong with it (one of the specification's kinds), and in which frame."""

    def __init__(self, kind: str, frame: int, expected: str, found: str) -> None:
        super().__init__(f"{kind} in frame {frame}: expected {expected}, found {found}")
        self.kind = kind
        self.frame = frame
        self.expected = expected
        self.found = found


class DataType(enum.IntEnum):
    """The type of a batch's items, by its number on the wire."""

    BYTES = 0
    INT32 = 1
    FLOAT32 = 2
    FLOAT64 = 3
    STRING = 4
    INT64 = 5
    """In results and labels of RPC 4 only."""

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return _SIZES[self]

    @property
    def is_numeric(self) -> bool:
        return self not in (DataType.BYTES, DataType.STRING)

    @property
    def input_name(self) -> str:
        """The name under which settings and logs know an input type."""
        return _INPUT_NAMES[self][0]

    @staticmethod
    def named(name: str) -> "DataType | None":
        """The input type with this name, in upper or lower case; None if there is none."""
        wanted = name.lower()
        for data_type, names in _INPUT_NAMES.items():
            if wanted in names:
                return data_type
        return None


INPUT_TYPES = (DataType.BYTES, DataType.INT32, DataType.FLOAT32, DataType.FLOAT64, DataType.STRING)

_SIZES = {
    DataType.BYTES: 1,
    DataType.INT32: 4,
    DataType.FLOAT32: 4,
    DataType.FLOAT64: 8,
    DataType.STRING: 1,
    DataType.INT64: 8,
}

_INPUT_NAMES = {
    DataType.BYTES: ("bytes", "byte", "b"),
    DataType.INT32: ("integers", "ints", "integer", "int", "i"),
    DataType.FLOAT32: ("floats", "float", "f"),
    DataType.FLOAT64: ("doubles", "double", "d"),
    DataType.STRING: ("strings", "string", "strs", "str", "s"),
}

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

u16 = _U16.pack
u32 = _U32.pack
u64 = _U64.pack


def read_u16(buffer: Buffer, at: int = 0) -> int:
    value: int = _U16.unpack_from(buffer, at)[0]
    return value


def read_u32(buffer: Buffer, at: int = 0) -> int:
    value: int = _U32.unpack_from(buffer, at)[0]
    return value


def read_u64(buffer: Buffer, at: int = 0) -> int:
    value: int = _U64.unpack_from(buffer, at)[0]
    return value


def present(frames: Frames, index: int, what: str) -> Buffer:
    """The frame with this index, which a message needs."""
    if index >= len(frames):
        raise WireError("missing-frame", len(frames), what, f"{len(frames)} frames")
    return frames[index]


def no_more(frames: Frames, count: int) -> None:
    """Checks that a message has no frame beyond those it is to have."""
    if len(frames) > count:
        raise WireError("surplus-frame", count, f"{count} frames", f"{len(frames)} frames")


def text(buffer: Buffer, frame: int, what: str) -> str:
    """The text in a buffer, which is to be UTF-8 without overlong forms and surrogates."""
    try:
        return bytes(buffer).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError(
            "invalid-utf8", frame, f"{what} in UTF-8", f"byte {error.object[error.start]:02x} at {error.start}"
        ) from None


def name(buffer: Buffer, frame: int, what: str) -> str:
    """The name of a model, or of a version of one."""
    if not 1 <= len(buffer) <= LONGEST_NAME:
        raise WireError("invalid-name", frame, f"{what} of 1 to {LONGEST_NAME} bytes", f"{len(buffer)} bytes")
    value = text(buffer, frame, what)
    if not _has_name_characters(value):
        raise WireError("invalid-name", frame, f"{what} without ',', ':' and control characters", ascii(value))
    return value


def is_name(value: str) -> bool:
    """Whether this may be the name of a model or of a version."""
    try:
        length = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return 1 <= length <= LONGEST_NAME and _has_name_characters(value)


def _has_name_characters(value: str) -> bool:
    return not any(character < " " or character in ",:\x7f" for character in value)


def shortened(value: str, longest: int) -> bytes:
    """The text in UTF-8, cut to at most so many bytes, but not within a character."""
    encoded = value.encode("utf-8", "backslashreplace")
    if len(encoded) <= longest:
        return encoded
    return encoded[:longest].decode("utf-8", "ignore").encode("utf-8")
