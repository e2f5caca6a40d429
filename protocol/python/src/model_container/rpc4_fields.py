"""The head of a message of RPC 4: version, type, id, and the fields (protocol/rpc-4.md, sections 4 and 5)."""

from __future__ import annotations

import enum
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Tuple

from .wire import Buffer, DataType, WireError, name, read_u16, read_u32, read_u64, text, u16, u32, u64

VERSION = 4
HEAD_LENGTH = 12
LONGEST_VALUE = 0xFFFF
MANDATORY = 0x8000


class Type(enum.IntEnum):
    """The types of messages."""

    WELCOME = 1
    ACCEPTED = 2
    REFUSED = 3
    HEARTBEAT = 4
    PREDICT = 5
    FEEDBACK = 6
    GOODBYE = 7
    REGISTER = 8
    RESULTS = 9
    FAILURE = 10


FIRST_NOTICE = 256
FROM_FRONTEND = frozenset(Type) - {Type.REGISTER, Type.RESULTS, Type.FAILURE}
FROM_CONTAINER = frozenset({Type.REGISTER, Type.RESULTS, Type.FAILURE, Type.GOODBYE})


class Field(NamedTuple):
    """One line of the specification's table of fields."""

    number: int
    name: str
    kind: str
    mandatory: bool
    allowed: FrozenSet[Type]
    required: FrozenSet[Type]


def _field(
    number: int,
    name: str,
    kind: str,
    required: Tuple[Type, ...] = (),
    optional: Tuple[Type, ...] = (),
    mandatory: bool = False,
) -> Field:
    return Field(number, name, kind, mandatory, frozenset(required + optional), frozenset(required))


_WITH_CODE = (Type.REFUSED, Type.FAILURE, Type.GOODBYE)

FIELDS: Tuple[Field, ...] = (
    _field(1, "heartbeat-interval", "positive", required=(Type.WELCOME,)),
    _field(2, "silence-limit", "positive", required=(Type.WELCOME,)),
    _field(3, "software", "text", optional=(Type.WELCOME, Type.REGISTER)),
    _field(4, "model-name", "name", required=(Type.REGISTER,), mandatory=True),
    _field(5, "model-version", "name", required=(Type.REGISTER,), mandatory=True),
    _field(6, "input-type", "input type", required=(Type.REGISTER,), mandatory=True),
    _field(7, "largest-batch", "positive", optional=(Type.REGISTER,), mandatory=True),
    _field(8, "batches-in-flight", "positive", optional=(Type.REGISTER,), mandatory=True),
    _field(9, "metadata", "pairs", optional=(Type.REGISTER,)),
    _field(10, "beats-while-busy", "flag", optional=(Type.REGISTER,)),
    _field(11, "wants-feedback", "flag", optional=(Type.REGISTER,)),
    _field(12, "replica", "u32", optional=(Type.ACCEPTED,)),
    _field(13, "code", "u32", required=_WITH_CODE, mandatory=True),
    _field(14, "reason", "text", optional=_WITH_CODE),
    _field(15, "retry-after", "u32", optional=(Type.REFUSED,)),
    _field(16, "item-type", "data type", required=(Type.PREDICT, Type.FEEDBACK, Type.RESULTS), mandatory=True),
    _field(17, "vectors", "flag", optional=(Type.FEEDBACK, Type.RESULTS), mandatory=True),
    _field(18, "label-type", "data type", required=(Type.FEEDBACK,), mandatory=True),
    _field(19, "budget", "u64", optional=(Type.PREDICT,)),
    _field(20, "compute-time", "u64", optional=(Type.RESULTS,)),
    _field(21, "traceparent", "text", optional=(Type.PREDICT,)),
    _field(22, "tracestate", "text", optional=(Type.PREDICT,)),
)

_BY_NUMBER = {field.number: field for field in FIELDS}
_BY_NAME = {field.name: field for field in FIELDS}


class Head(NamedTuple):
    """Frame 0. ``fields`` holds those that are there, by their names; of a flag, True."""

    type: int
    id: int
    fields: Mapping[str, Any]


def encode_head(message_type: int, batch: int = 0, **values: Any) -> bytes:
    """A head with these fields, whose names have ``_`` for ``-``; None and False leave a field out."""
    parts = [u32(VERSION), u32(message_type), u32(batch)]
    fields = [(_BY_NAME[key.replace("_", "-")], value) for key, value in values.items()]
    for field, value in sorted(fields, key=lambda pair: pair[0].number):
        if value is None or value is False:
            continue
        encoded = _encode_value(field.kind, value)
        if len(encoded) > LONGEST_VALUE:
            raise ValueError(f"the field {field.name} has {len(encoded)} bytes, and {LONGEST_VALUE} at most go into it")
        parts += [u16(field.number | (MANDATORY if field.mandatory else 0)), u16(len(encoded)), encoded]
    return b"".join(parts)


def _encode_value(kind: str, value: Any) -> bytes:
    if kind == "flag":
        return b""
    if kind in ("text", "name"):
        encoded: bytes = value.encode("utf-8")
        return encoded
    if kind == "pairs":
        parts: List[bytes] = []
        for key, content in value:
            for part in (key.encode("utf-8"), content.encode("utf-8")):
                parts += [u16(len(part)), part]
        return b"".join(parts)
    return u64(value) if kind == "u64" else u32(value)


def decode_head(frame: Buffer, directions: FrozenSet[Type]) -> Head:
    """Reads a head whose type is one of ``directions``, or a notice, of which the fields are not looked at."""
    if len(frame) < HEAD_LENGTH:
        raise WireError("head-length", 0, f"{HEAD_LENGTH} bytes at least", f"{len(frame)} bytes")
    version, message_type, batch = read_u32(frame, 0), read_u32(frame, 4), read_u32(frame, 8)
    if version != VERSION:
        raise WireError("unsupported-version", 0, f"RPC version {VERSION}", str(version))
    if message_type >= FIRST_NOTICE:
        return Head(message_type, batch, {})
    if message_type not in directions:
        raise WireError("unknown-type", 0, f"one of the types {sorted(int(t) for t in directions)}", str(message_type))
    known = Type(message_type)
    fields = _fields(frame, known)
    for field in FIELDS:
        if known in field.required and field.name not in fields:
            raise WireError("missing-field", 0, f"the field {field.name}", "none")
    return Head(message_type, batch, fields)


def _fields(frame: Buffer, message_type: Type) -> Dict[str, Any]:
    fields: Dict[str, Any] = {}
    at, last = HEAD_LENGTH, 0
    while at < len(frame):
        if at + 4 > len(frame):
            raise WireError("field-length", 0, "a tag and a length", f"{len(frame) - at} bytes")
        tag, length = read_u16(frame, at), read_u16(frame, at + 2)
        at += 4
        if at + length > len(frame):
            raise WireError("field-length", 0, f"a value of {length} bytes", f"{len(frame) - at} bytes")
        number = tag & ~MANDATORY
        if number <= last:
            raise WireError("field-order", 0, f"a field number above {last}", str(number))
        field = _BY_NUMBER.get(number)
        if field is not None and message_type in field.allowed:
            results = message_type is Type.RESULTS
            fields[field.name] = _decode_value(field, memoryview(frame)[at : at + length], results)
        elif tag & MANDATORY:
            raise WireError("unknown-field", 0, "fields that this message has", f"the mandatory field {number}")
        at += length
        last = number
    return fields


def _decode_value(field: Field, value: memoryview, in_results: bool) -> Any:
    kind, what = field.kind, field.name
    if kind == "text":
        return text(value, 0, what)
    if kind == "name":
        return name(value, 0, what)
    if kind == "pairs":
        return _pairs(value)
    size = {"flag": 0, "u64": 8}.get(kind, 4)
    if len(value) != size:
        raise WireError("field-value", 0, f"{what} in {size} bytes", f"{len(value)} bytes")
    if kind == "flag":
        return True
    if kind == "u64":
        return read_u64(value)
    number = read_u32(value)
    if kind == "positive" and number < 1:
        raise WireError("field-value", 0, f"{what} of 1 at least", str(number))
    if kind in ("input type", "data type"):
        largest = DataType.INT64 if in_results or what == "label-type" else DataType.STRING
        if number > largest:
            raise WireError("unknown-data-type", 0, f"{what} from 0 to {int(largest)}", str(number))
        return DataType(number)
    return number


def _pairs(value: memoryview) -> Tuple[Tuple[str, str], ...]:
    texts: List[memoryview] = []
    at = 0
    while at < len(value):
        if at + 2 > len(value) or at + 2 + read_u16(value, at) > len(value):
            raise WireError("field-value", 0, "metadata in whole pairs", f"{len(value) - at} bytes at its end")
        length = read_u16(value, at)
        texts.append(value[at + 2 : at + 2 + length])
        at += 2 + length
    if len(texts) % 2:
        raise WireError("field-value", 0, "metadata in whole pairs", "a key without a value")
    strings = [text(part, 0, "metadata") for part in texts]
    return tuple(zip(strings[::2], strings[1::2]))
