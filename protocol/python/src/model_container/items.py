"""The items of a batch: inputs, results, labels. They lie one after the other in one buffer."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from .wire import Buffer, DataType

NUMPY_TYPES: Dict[DataType, "np.dtype[Any]"] = {
    DataType.INT32: np.dtype("<i4"),
    DataType.FLOAT32: np.dtype("<f4"),
    DataType.FLOAT64: np.dtype("<f8"),
    DataType.INT64: np.dtype("<i8"),
}


class Items:
    """Items of one type: item i is the bytes from offset i up to offset i + 1."""

    __slots__ = ("data", "data_type", "offsets", "texts", "vectors")

    def __init__(
        self,
        data_type: DataType,
        offsets: Union[Sequence[int], NDArray[np.integer]],
        data: Buffer,
        vectors: bool = False,
        texts: Optional[List[str]] = None,
    ) -> None:
        self.data_type = data_type
        self.offsets = np.asarray(offsets, dtype=np.int64)
        self.data = data
        self.vectors = vectors
        """Whether each item is a list of numbers rather than one; of results and labels only."""
        self.texts = texts
        """The items as strings, where a decoder has made them already."""

    @classmethod
    def of(cls, data_type: DataType, items: Iterable[Buffer], vectors: bool = False) -> "Items":
        """Items that lie apart, put into one buffer."""
        parts = list(items)
        lengths = np.fromiter((len(part) for part in parts), dtype=np.int64, count=len(parts))
        return cls(data_type, np.concatenate((np.zeros(1, np.int64), lengths.cumsum())), b"".join(parts), vectors)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> memoryview:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return memoryview(self.data)[int(self.offsets[index]) : int(self.offsets[index + 1])]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Items)
            and self.data_type == other.data_type
            and self.vectors == other.vectors
            and np.array_equal(self.offsets, other.offsets)
            and bytes(self.data) == bytes(other.data)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        kind = "vectors of " if self.vectors else ""
        return f"<Items: {len(self)} × {kind}{self.data_type.name.lower()}, {len(self.data)} bytes>"
