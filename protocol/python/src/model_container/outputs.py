"""Turns what a model's function returns into results of RPC 4, which have types, and into RPC 3's texts."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

import numpy as np

from .items import NUMPY_TYPES, Items
from .wire import DataType

Outputs = Union[Sequence[Any], "np.ndarray[Any, Any]"]

# What else numpy has for numbers goes into the smallest type that holds all of it. A long double is rounded.
_BY_DTYPE = {
    np.dtype(np.longdouble).name: DataType.FLOAT64,  # On some machines it is a float64.
    "float64": DataType.FLOAT64,
    "float32": DataType.FLOAT32,
    "float16": DataType.FLOAT32,
    "int64": DataType.INT64,
    "uint32": DataType.INT64,
    "int32": DataType.INT32,
    "int16": DataType.INT32,
    "int8": DataType.INT32,
    "uint16": DataType.INT32,
    "uint8": DataType.INT32,
}


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Encoded(NamedTuple):
    """The results of a batch, and the outputs among them that no encoding was found for."""

    items: Items
    errors: Dict[int, BaseException]


def encoded(outputs: Outputs) -> Encoded:
    """Results with the type that all outputs share; texts, if they share none. Errors among them give empty items."""
    if not isinstance(outputs, np.ndarray) and set(map(type, outputs)) == {float}:
        outputs = np.array(outputs, dtype=np.float64)
    if isinstance(outputs, np.ndarray):
        whole = _whole_array(outputs)
        if whole is not None:
            return Encoded(whole, {})
    errors: Dict[int, BaseException] = {}
    kinds: Set[_Kind] = set()
    for index, output in enumerate(outputs):
        if isinstance(output, BaseException):
            errors[index] = output
            continue
        try:
            kinds.add(_kind(output))
        except Exception as error:
            errors[index] = _unsayable(error)
    kind = _common(kinds)
    parts: List[bytes] = []
    for index, output in enumerate(outputs):
        part = b""
        if index not in errors:
            try:
                part = _encode(output, kind)
            except Exception as error:
                errors[index] = _unsayable(error)
        parts.append(part)
    return Encoded(Items.of(kind.data_type, parts, kind.vectors), errors)


def _unsayable(error: Exception) -> TypeError:
    """Of whatever an object of the model's does when it is looked at."""
    return TypeError(f"the model's output is no value that JSON can say: {error}")


def text_of(output: Any) -> str:
    """An output as text: a string as it is, bytes as a JSON string in base 64, the rest JSON. Numbers stay exact."""
    if isinstance(output, str):
        return str.__str__(output)  # Of an enumeration's member its value, whatever it calls itself.
    if isinstance(output, (list, tuple)) and _list_kind(output) == _DOUBLES:
        # As the vector that it is where all outputs are: a narrow float has all digits of the wide one there.
        output = [float(element) if isinstance(element, np.floating) else element for element in output]
    plain = _plain(output)
    if isinstance(output, (bytes, bytearray, memoryview)):
        return json.dumps(plain)  # In quotes, since base 64 may read as JSON: 1234, true.
    return plain if isinstance(plain, str) else _JSON.encode(plain)


class _Kind(NamedTuple):
    data_type: DataType
    vectors: bool = False


_TEXT = _Kind(DataType.STRING)
_DOUBLES = _Kind(DataType.FLOAT64, True)
_ANY_VECTOR = _Kind(DataType.BYTES, True)


def _whole_array(outputs: "np.ndarray[Any, Any]") -> Optional[Items]:
    """Results from an array of numbers or of rows of numbers; None for other arrays."""
    data_type = _BY_DTYPE.get(outputs.dtype.name)
    if data_type is None or outputs.ndim not in (1, 2) or np.ma.is_masked(outputs):
        return None
    numbers = np.ascontiguousarray(outputs, dtype=NUMPY_TYPES[data_type])
    size = data_type.size * (outputs.shape[1] if outputs.ndim == 2 else 1)
    offsets = np.arange(len(outputs) + 1, dtype=np.int64) * size
    return Items(data_type, offsets, numbers.tobytes(), vectors=outputs.ndim == 2)


def _kind(output: Any) -> _Kind:
    """The type of result that says this output exactly."""
    if isinstance(output, bool):
        return _TEXT
    if isinstance(output, int):
        return _Kind(DataType.INT64) if -(2**63) <= output < 2**63 else _TEXT
    if isinstance(output, float):
        return _Kind(DataType.FLOAT64)
    if isinstance(output, np.generic):
        data_type = _BY_DTYPE.get(output.dtype.name)
        return _Kind(data_type) if data_type is not None else _TEXT
    if isinstance(output, (bytes, bytearray, memoryview)):
        return _Kind(DataType.BYTES)
    if isinstance(output, np.ndarray):
        _check_mask(output)
        data_type = _BY_DTYPE.get(output.dtype.name)
        return _Kind(data_type, output.ndim == 1) if data_type is not None and output.ndim <= 1 else _TEXT
    if isinstance(output, (list, tuple)):
        return _list_kind(output)
    if hasattr(output, "__array__"):
        return _kind(np.asarray(output))
    return _TEXT


def _list_kind(elements: Sequence[Any]) -> _Kind:
    """The type of a list of numbers. Among floats a whole number is just one that happens to be whole."""
    if not elements:
        return _ANY_VECTOR
    if set(map(type, elements)) == {float}:
        return _DOUBLES
    if not all(isinstance(element, (int, float, np.number)) for element in elements):
        return _TEXT
    types = {_kind(element).data_type for element in elements}
    if len(types) == 1:
        only = types.pop()
        return _Kind(only, True) if only.is_numeric else _TEXT
    if types == {DataType.INT32, DataType.INT64}:
        return _Kind(DataType.INT64, True)
    whole = [element for element in elements if isinstance(element, (int, np.integer))]
    exact = DataType.STRING not in types and all(abs(int(element)) <= 2**53 for element in whole)
    return _DOUBLES if exact else _TEXT


def _common(kinds: Set[_Kind]) -> _Kind:
    """The type that says outputs of all these types."""
    if kinds == {_ANY_VECTOR}:
        return _DOUBLES
    # A list without an element is one of whatever type the other lists are of.
    if all(kind.vectors for kind in kinds):
        kinds = kinds - {_ANY_VECTOR}
    return next(iter(kinds)) if len(kinds) == 1 else _TEXT


def _encode(output: Any, kind: _Kind) -> bytes:
    if kind.data_type is DataType.STRING:
        return text_of(output).encode("utf-8")
    if kind.data_type is DataType.BYTES:
        return bytes(output)
    return np.asarray(output, dtype=NUMPY_TYPES[kind.data_type]).tobytes()


def _plain(value: Any) -> Any:
    """The value made of what JSON has, as a frontend makes JSON of typed results: what isn't finite has a name."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic) and not isinstance(value, np.float64):
        return _plain_scalar(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _name_of_float(value)
    if isinstance(value, np.ndarray):
        _check_mask(value)
        if value.ndim == 0:
            return _plain(value[()])
        if value.dtype.kind in "iu" or (value.dtype.name == "float64" and np.isfinite(value).all()):
            return value.tolist()
        return [_plain(element) for element in value]
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    if isinstance(value, Mapping):
        return {_key(key): _plain(content) for key, content in value.items()}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "__array__"):
        return _plain(np.asarray(value))
    raise TypeError(f"it has a {type(value).__name__} in it")


def _plain_scalar(value: "np.generic") -> Any:
    if value.dtype.kind == "f":
        if value.dtype.itemsize >= 8 or not np.isfinite(value):
            return _plain(float(value))
        # The shortest decimal of the type that results have, rather than all digits of the wide one.
        return float(str(np.float32(value)))
    if value.dtype.kind in "biuSU":
        return _plain(value.item())
    raise TypeError(f"it has a {value.dtype} in it")


def _check_mask(array: "np.ndarray[Any, Any]") -> None:
    if np.ma.is_masked(array):
        raise TypeError("it has a masked place")


def _name_of_float(value: float) -> str:
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _key(key: Any) -> str:
    plain = _plain(key)
    if isinstance(plain, str):
        return plain
    if plain is None or isinstance(plain, (bool, int, float)):
        return json.dumps(plain)
    raise TypeError(f"it has a {type(key).__name__} as a key")


def texts(outputs: Outputs) -> Tuple[bytes, ...]:
    """The outputs as RPC 3 sends them.

    :raises Exception: for an output that has no text.
    """
    return tuple(text_of(output).encode("utf-8") for output in outputs)
