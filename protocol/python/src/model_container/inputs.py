"""The inputs of a batch, as a model's function gets them."""

from __future__ import annotations

from typing import Any, List, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from .errors import InvalidInput
from .items import NUMPY_TYPES, Items
from .wire import DataType

Inputs = Union[NDArray[Any], List[Any]]


def inputs_of(items: Items) -> Inputs:
    """Strings as a list of ``str``, bytes as a list of ``bytes``; rows of numbers as a 2-D array over the received
    memory if they are equally long, else as a list of 1-D arrays. The arrays cannot be written to."""
    if items.data_type is DataType.STRING:
        return list(items.texts) if items.texts is not None else [str(items[i], "utf-8") for i in range(len(items))]
    if items.data_type is DataType.BYTES:
        return [bytes(items[index]) for index in range(len(items))]
    numbers = _numbers(items)
    bounds = items.offsets // items.data_type.size
    lengths = np.diff(bounds)
    if len(lengths) and (lengths == lengths[0]).all():
        return numbers.reshape(len(lengths), int(lengths[0]))
    return [numbers[start:end] for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist())]


def part_of(inputs: Inputs, start: int, end: int) -> Inputs:
    """Some of a batch's inputs, as they would be given if they were all of it: rows of one length are a 2-D array."""
    part: Inputs = inputs[start:end]
    if isinstance(part, list) and isinstance(part[0], np.ndarray) and len({len(row) for row in part}) == 1:
        part = np.stack(part)
        part.flags.writeable = False
    return part


def labels_of(labels: Items) -> Inputs:
    """Labels as inputs are given, but single numbers as one 1-D array."""
    return _numbers(labels) if labels.data_type.is_numeric and not labels.vectors else inputs_of(labels)


def _numbers(items: Items) -> NDArray[Any]:
    """All numbers of all items."""
    numbers: NDArray[Any] = np.frombuffer(items.data, dtype=NUMPY_TYPES[items.data_type])
    if not numbers.flags.aligned:
        # Where a frame begins is up to ZeroMQ; native libraries that get the array may insist on alignment.
        numbers = numbers.copy()
    numbers.flags.writeable = False
    return numbers


def items_of(inputs: Sequence[Any], data_type: DataType) -> Items:
    """Inputs given by a caller without a network, as they would have come from one.

    :raises InvalidInput: for an input that isn't of this type.
    """
    parts: List[bytes] = []
    for index, value in enumerate(inputs):
        try:
            parts.append(_encoded(value, data_type))
        except (TypeError, ValueError, OverflowError) as error:
            what = f"input {index} is no input of the type {data_type.input_name}"
            raise InvalidInput(f"{what}: {error}") from error
    items = Items.of(data_type, parts)
    if data_type is DataType.STRING:
        items.texts = list(inputs)
    return items


def _encoded(value: Any, data_type: DataType) -> bytes:
    if data_type is DataType.STRING:
        if not isinstance(value, str):
            raise TypeError(f"a str was expected, not {type(value).__name__}")
        return value.encode("utf-8")
    if data_type is DataType.BYTES:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"bytes were expected, not {type(value).__name__}")
        return bytes(value)
    row = np.asarray(value)
    if row.ndim != 1:
        raise ValueError(f"a list of numbers was expected, not {row.ndim} dimensions")
    if row.size and (row.dtype.kind not in "iuf" or (data_type is DataType.INT32 and row.dtype.kind == "f")):
        raise TypeError(f"numbers of another kind were expected than {row.dtype}")
    converted = row.astype(NUMPY_TYPES[data_type])
    if data_type is DataType.INT32 and not np.array_equal(converted, row):
        raise OverflowError("a number is beyond 32 bits")
    return bytes(converted.tobytes())
