"""Models without a network, and the search for the inputs that make them fail."""

import math

import numpy as np
import pytest

from model_container import InvalidInput, Model, context, model
from model_container.errors import BatchLate
from model_container.isolation import batch_runs, most_runs, single_runs


@model(name="double", input_type="doubles")
def double(rows):
    """Doubles."""
    return [row * 2 for row in rows]


def test_a_decorated_function_is_still_the_function():
    assert double.name == "double" and double.__name__ == "double" and double.__doc__ == "Doubles."
    assert [row.tolist() for row in double([np.array([1.0])])] == [[2.0]]


def test_the_decorator_needs_no_settings():
    @model
    def identity(rows):
        return rows

    assert isinstance(identity, Model) and identity.predict([[1.0]])[0].tolist() == [1.0]


def test_predicts_without_a_network_as_a_container_would():
    assert [row.tolist() for row in double.predict([[1], [2, 3]])] == [[2.0], [4.0, 6.0]]
    assert Model(lambda xs: [x.upper() for x in xs], input_type="strings").predict(["a"]) == ["A"]
    assert Model(lambda x: len(x), input_type="bytes", per_input=True).predict([b"abc", b""]) == [3, 0]
    assert double.predict([]) == []


def test_parts_of_a_ragged_batch_are_arrays_where_their_rows_are_equally_long():
    def sums(rows):
        return rows.sum(axis=1)  # A list of rows has no such thing.

    outputs = Model(sums).predict([[1, 2], [3, 4], [5]])
    assert [float(output) for output in outputs] == [3.0, 7.0, 5.0]


def test_a_masked_place_of_an_array_is_no_output():
    outputs = Model(lambda rows: np.ma.array([1.0, 2.0], mask=[False, True])).predict([[1], [2]])
    assert outputs[0] == 1.0 and outputs[1] is np.ma.masked


@pytest.mark.parametrize(
    "outputs", [{1: 2}, frozenset([1]), bytearray(b"a"), memoryview(b"a"), {1: 2}.keys(), "a", b"a"]
)
def test_what_is_no_list_is_none_with_an_output_for_each_input(outputs):
    with pytest.raises(TypeError, match="rather than a list with one output per input"):
        Model(lambda rows: outputs).predict([[1]])


def test_predicts_with_an_async_function():
    async def one(value):
        if value == "bad":
            raise ValueError(value)
        return value + "!"

    good, bad = Model(one, input_type="strings", per_input=True).predict(["a", "bad"])
    assert good == "a!" and isinstance(bad, ValueError)


def test_raises_what_the_function_raised():
    with pytest.raises(ZeroDivisionError):
        Model(lambda rows: 1 / 0).predict([[1.0]])


def test_knows_its_context_without_a_network():
    assert Model(lambda rows: [context().remaining for _ in rows]).predict([[1]]) == [None]


@pytest.mark.parametrize(
    "input_type, value",
    [
        ("doubles", "text"),
        ("doubles", [[1]]),
        ("integers", [0.5]),
        ("integers", [2**31]),
        ("strings", 1),
        ("bytes", "a"),
    ],
)
def test_says_which_input_is_none(input_type, value):
    with pytest.raises(InvalidInput, match=f"input 0 is no input of the type {input_type}"):
        Model(lambda batch: batch, input_type=input_type).predict([value])


@pytest.mark.parametrize("returned", [None, 1.0, "text", {}, (x for x in [1])])
def test_says_what_is_wrong_with_what_a_function_returned(returned):
    with pytest.raises(TypeError, match="rather than a list with one output per input"):
        Model(lambda rows: returned).predict([[1]])


def test_a_function_that_returns_an_awaitable_is_told_of_async_def():
    async def later(rows):
        return rows

    with pytest.raises(TypeError, match="async def"):
        Model(lambda rows: later(rows)).predict([[1]])


# Isolation, by values: runs are asked for, and their outcomes are sent.


def drive(runs, function):
    """What comes of runs of a function from a span of inputs to outputs, and the spans."""
    spans = []
    try:
        span = next(runs)
        while True:
            spans.append(span)
            try:
                outcome = function(*span)
            except Exception as error:
                outcome = error
            span = runs.send(outcome)
    except StopIteration as end:
        return end.value, spans


def poisoned(*guilty):
    def function(start, end):
        found = [index for index in guilty if start <= index < end]
        if found:
            raise ValueError(f"{found}")
        return list(range(start, end))

    return function


def innocent(outputs):
    return [output for output in outputs if not isinstance(output, Exception)]


@pytest.mark.parametrize("count", [2, 3, 64, 100, 1000])
def test_one_guilty_input_costs_two_runs_for_each_halving(count):
    for guilty in {0, count // 3, count - 1}:
        outputs, spans = drive(batch_runs(count, True, lambda: False), poisoned(guilty))
        assert str(outputs[guilty]) == f"[{guilty}]"
        assert innocent(outputs) == [index for index in range(count) if index != guilty]
        assert len(spans) <= 1 + 2 * math.ceil(math.log2(count))


def test_runs_are_bounded_and_the_largest_innocent_parts_are_found_first():
    outputs, spans = drive(batch_runs(1024, True, lambda: False), poisoned(*range(0, 512, 2)))
    assert len(spans) == 1 + most_runs(1024) == 29
    assert len(outputs) == 1024 and outputs[512:] == list(range(512, 1024))
    assert all(isinstance(output, ValueError) for output in outputs[:512:2])


def test_no_part_is_run_when_the_budget_is_spent():
    answers = iter([False, False, True])
    outputs, spans = drive(batch_runs(8, True, lambda: next(answers)), poisoned(7))
    assert spans == [(0, 8), (0, 4), (4, 8)]
    assert outputs[:4] == [0, 1, 2, 3] and all(isinstance(output, ValueError) for output in outputs[4:])


def test_an_error_that_does_not_come_again_costs_nobody_an_answer():
    failures = iter([True])

    def function(start, end):
        if next(failures, False):
            raise OSError("a hiccup")
        return list(range(start, end))

    outputs, spans = drive(batch_runs(4, True, lambda: False), function)
    assert outputs == [0, 1, 2, 3] and spans == [(0, 4), (0, 2), (2, 4)]


def test_single_inputs_are_run_while_the_budget_lasts():
    late = iter([None, BatchLate("late")])
    outputs, spans = drive(single_runs(4, lambda: next(late)), lambda start, end: [start])
    assert outputs[:2] == [0, 1] and spans == [(0, 1), (1, 2)]
    assert all(isinstance(output, BatchLate) for output in outputs[2:])
