"""What a function may return, and what is sent for it."""

import dataclasses
import enum
import json
import math
from base64 import b64decode

import numpy as np
import pytest
from frontend import values

from model_container import rpc4
from model_container.items import NUMPY_TYPES
from model_container.outputs import encoded, text_of
from model_container.wire import DataType


@dataclasses.dataclass
class Label:
    name: str
    score: float


class Colour(str, enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


class Tensor:
    """Like those of other libraries: no array, but something that becomes one."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numbers, dtype=dtype)


class Stubborn:
    """Like a tensor that is to be detached first."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("detach it")


def typed(outputs):
    """The type of the results, whether they are vectors, and their values."""
    items, errors = encoded(outputs)
    failed = [rpc4.ItemError(index, 1, "") for index in sorted(errors)]
    return items.data_type.name.lower(), items.vectors, values(rpc4.Results(0, items, failed))


@pytest.mark.parametrize(
    "outputs, data_type, vectors, expected",
    [
        ([1.5, 2.0], "float64", False, [1.5, 2.0]),
        ([np.float64(0.1)], "float64", False, [0.1]),
        ([np.float32(0.5)], "float32", False, [0.5]),
        ([np.float16(0.5)], "float32", False, [0.5]),
        ([np.longdouble(0.5)], "float64", False, [0.5]),
        (np.array([[0.5, 1]], dtype=np.longdouble), "float64", True, [[0.5, 1.0]]),
        (np.ma.array([1.0, 2.0]), "float64", False, [1.0, 2.0]),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "float64", False, [1.0, None]),
        (np.ma.array([[1, 2], [3, 4]], mask=[[0, 0], [0, 1]]), "int64", True, [[1, 2], None]),
        ([np.ma.array([1, 2], mask=[1, 0]), [3]], "int64", True, [None, [3]]),
        ([np.ma.masked, 1.5], "float64", False, [None, 1.5]),
        ([Stubborn(), 1.5], "float64", False, [None, 1.5]),
        ([1, -(2**63)], "int64", False, [1, -(2**63)]),
        ([np.int64(1)], "int64", False, [1]),
        ([np.int32(1)], "int32", False, [1]),
        ([np.uint8(255)], "int32", False, [255]),
        ([b"\0\xff", bytearray(b"a")], "bytes", False, [b"\0\xff", b"a"]),
        (["ja", ""], "string", False, ["ja", ""]),
        ([[1.0, 2.0], [3.0]], "float64", True, [[1.0, 2.0], [3.0]]),
        ([[1, 0.5]], "float64", True, [[1.0, 0.5]]),
        ([[1, 2], []], "int64", True, [[1, 2], []]),
        ([[], []], "float64", True, [[], []]),
        ([(1, 2)], "int64", True, [[1, 2]]),
        ([np.array([1, 2], dtype=np.float32)], "float32", True, [[1.0, 2.0]]),
        ([np.array([1, 2], dtype=np.int32), np.array([], dtype=np.int32)], "int32", True, [[1, 2], []]),
        ([np.array(2.5)], "float64", False, [2.5]),
        (np.array([1.5, 2.5]), "float64", False, [1.5, 2.5]),
        (np.array([1, 2], dtype=np.int32), "int32", False, [1, 2]),
        (np.array([[1, 2], [3, 4]], dtype=np.float32), "float32", True, [[1.0, 2.0], [3.0, 4.0]]),
        (np.array([[1, 2], [3, 4]])[:, ::-1], "int64", True, [[2, 1], [4, 3]]),
        (np.array(["a", "b"]), "string", False, ["a", "b"]),
        ([Tensor([1.0, 2.0])], "float64", True, [[1.0, 2.0]]),
        ([{"class": "cat", "p": [0.5, 1]}], "string", False, ['{"class":"cat","p":[0.5,1]}']),
        ([Label("cat", 0.5)], "string", False, ['{"name":"cat","score":0.5}']),
        ([True, False], "string", False, ["true", "false"]),
        (np.array([True]), "string", False, ["true"]),
        ([None], "string", False, ["null"]),
        ([2**63], "string", False, [str(2**63)]),
        ([np.zeros((2, 2))], "string", False, ["[[0.0,0.0],[0.0,0.0]]"]),
        ([[[1], [2]]], "string", False, ["[[1],[2]]"]),
        ([["a", 1]], "string", False, ['["a",1]']),
        ([1, 2.5], "string", False, ["1", "2.5"]),
        ([1.5, []], "string", False, ["1.5", "[]"]),
        ([[1], [0.5], []], "string", False, ["[1]", "[0.5]", "[]"]),
        ([Size.LARGE], "int64", False, [3]),
        ([Colour.RED], "string", False, ["red"]),
        ([{"colour": Colour.RED, "size": Size.LARGE}], "string", False, ['{"colour":"red","size":3}']),
        (["a", 1.5, b"\0", [1]], "string", False, ["a", "1.5", '"AA=="', "[1]"]),
        ([2**53 + 1, 0.5], "string", False, ["9007199254740993", "0.5"]),
        ([[2**53 + 1, 0.5]], "string", False, ["[9007199254740993,0.5]"]),
        ([], "string", False, []),
        ([ValueError(), 1.5], "float64", False, [None, 1.5]),
        ([ValueError(), [1]], "int64", True, [None, [1]]),
        ([ValueError()], "string", False, [None]),
    ],
)
def test_results_have_the_type_that_all_outputs_share(outputs, data_type, vectors, expected):
    assert typed(outputs) == (data_type, vectors, expected)


@pytest.mark.parametrize(
    "output, text",
    [
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (1.0, "1.0"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.int64(-7), "-7"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (np.float32("inf"), "inf"),
        (np.longdouble(0.5), "0.5"),
        ({"p": np.array([0.5], dtype=np.longdouble)}, '{"p":[0.5]}'),
        ([math.nan, 1.0], '["nan",1.0]'),
        (np.array([math.inf, 1.0]), '["inf",1.0]'),
        ("text", "text"),
        (np.str_("text"), "text"),
        ("grün", "grün"),
        ({"grün": 1}, '{"grün":1}'),
        ({1: None, 0.5: 2, None: 3}, '{"1":null,"0.5":2,"null":3}'),
        (b"\0\xff", '"AP8="'),
        (b"", '""'),
    ],
)
def test_texts_read_back_exactly(output, text):
    assert text_of(output) == text


@pytest.mark.parametrize("base64", ["1234", "true", "null", "AP8="])
def test_bytes_are_a_json_string_even_if_their_base64_reads_as_another_value(base64):
    assert json.loads(text_of(b64decode(base64))) == base64


@pytest.mark.parametrize("output", [np.float16(0.1), np.float32(0.1), [np.float32(0.1), 1.0], [np.float16(0.1)]])
def test_a_number_is_one_number_with_the_type_that_outputs_share_and_as_text(output):
    items, _ = encoded([output])
    # A frontend shows the shortest decimals of their type.
    shown = [float(str(element)) for element in np.frombuffer(items.data, NUMPY_TYPES[items.data_type])]
    assert json.loads(text_of(output)) == (shown if items.vectors else shown[0])
    assert bytes(encoded([output, "text"]).items[0]).decode() == text_of(output)


@pytest.mark.parametrize(
    "output",
    [object(), {"a": {1, 2}}, "\ud800", {(1, 2): 3}, 1j, [lambda: 1], np.clongdouble(1), [1, np.ma.masked]],
)
def test_an_output_that_has_no_text_is_the_error_of_its_input(output):
    items, errors = encoded(["fine", output])
    assert list(errors) == [1] and "JSON" in str(errors[1])
    assert items.data_type is DataType.STRING and bytes(items[0]) == b"fine" and len(items[1]) == 0


def test_numbers_survive_bit_for_bit():
    payload = np.frombuffer(bytes.fromhex("010000000000f87f"), dtype="<f8")
    assert bytes(encoded(payload).items[0]) == payload.tobytes()
    assert bytes(encoded([-0.0]).items[0]) == bytes.fromhex("0000000000000080")
