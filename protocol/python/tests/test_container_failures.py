"""Containers at work, against a frontend that the test plays: models that fail, and batches that are refused."""

import asyncio
import threading

import pytest
from frontend import BOUND, items, sums, values

from model_container import InvalidInput, Unavailable, answers, rpc3, rpc4
from model_container.rpc4 import FailureCode
from model_container.wire import DataType


def test_finds_the_one_poison_input_of_a_hundred(frontend, start):
    runs = []

    def function(rows):
        runs.append(len(rows))
        if (rows == 13).any():
            raise ValueError("thirteen is bad luck")
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[index] for index in range(100)])
    results = frontend.expect(rpc4.Results)
    assert results.errors == (rpc4.ItemError(13, FailureCode.MODEL_ERROR, "ValueError: thirteen is bad luck"),)
    assert values(results) == [None if index == 13 else float(index) for index in range(100)]
    assert len(runs) <= 1 + 2 * 7 + 8
    frontend.predict(2, [[1]])
    assert values(frontend.expect(rpc4.Results)) == [1.0], "the session goes on"


def test_fails_the_batch_where_it_is_not_to_be_run_again(frontend, start):
    runs = []

    def function(rows):
        runs.append(len(rows))
        raise ValueError("no")

    start(function, frontend.endpoint, isolate_failures=False)
    frontend.register()
    frontend.predict(1, [[1], [2]])
    assert frontend.expect(rpc4.Failure) == rpc4.Failure(1, FailureCode.MODEL_ERROR, "ValueError: no")
    assert runs == [2]


def test_an_error_in_the_place_of_an_output_is_that_inputs(frontend, start):
    start(lambda rows: [1, InvalidInput("no input"), KeyError("x")], frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1], [], [2]])
    results = frontend.expect(rpc4.Results)
    assert values(results) == [1, None, None]
    assert results.errors == (
        rpc4.ItemError(1, FailureCode.INVALID_INPUT, "no input"),
        rpc4.ItemError(2, FailureCode.MODEL_ERROR, "KeyError: 'x'"),
    )


def test_a_function_of_one_input_fails_for_that_input(frontend, start):
    start(lambda row: 1 / row[0].item(), frontend.endpoint, per_input=True)
    frontend.register()
    frontend.predict(1, [[2], [0], [4]])
    results = frontend.expect(rpc4.Results)
    assert values(results) == [0.5, None, 0.25]
    assert "ZeroDivisionError" in results.errors[0].text


@pytest.mark.parametrize("code", ["E42", 404, None, []])
def test_an_error_of_the_models_own_making_may_use_the_name_code_for_something_else(frontend, start, code):
    class TooOld(InvalidInput):
        def __init__(self):
            super().__init__("too old")
            self.code = code

    def function(row):
        raise TooOld

    start(function, frontend.endpoint, per_input=True)
    frontend.register()
    frontend.predict(1, [[1]])
    assert frontend.expect(rpc4.Results).errors == (rpc4.ItemError(0, FailureCode.INVALID_INPUT, "too old"),)


def test_a_wrong_number_of_outputs_fails_the_batch_with_both_numbers(frontend, start):
    start(lambda rows: [1.0], frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1], [2]])
    failure = frontend.expect(rpc4.Failure)
    assert failure.code == FailureCode.MODEL_ERROR
    assert failure.reason == "the model returned 1 outputs for 2 inputs"


def test_a_model_that_lacks_a_resource_says_so(frontend, start):
    def function(rows):
        raise Unavailable("the accelerator is gone")

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1], [2]])
    assert frontend.expect(rpc4.Failure) == rpc4.Failure(1, FailureCode.UNAVAILABLE, "the accelerator is gone")


def test_a_model_that_exits_fails_its_batch_and_not_the_container(frontend, start):
    def function(rows):
        raise SystemExit(3)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1]])
    assert frontend.expect(rpc4.Failure).code == FailureCode.MODEL_ERROR
    frontend.predict(2, [[1]])
    assert frontend.expect(rpc4.Failure).id == 2


@pytest.mark.parametrize("per_input", [False, True])
@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, KeyboardInterrupt])
def test_an_async_model_that_ends_its_task_fails_its_batch_and_not_the_container(frontend, start, per_input, error):
    async def function(given):
        raise error

    start(function, frontend.endpoint, per_input=per_input)
    frontend.register()
    for batch in (1, 2):
        frontend.predict(batch, [[1], [2]])
        answer = frontend.expect((rpc4.Failure, rpc4.Results))
        assert answer.id == batch
        assert isinstance(answer, rpc4.Failure) or values(answer) == [None, None]


def test_in_rpc3_a_failed_batch_ends_the_session(frontend, start):
    start(lambda rows: 1 / 0, frontend.endpoint)
    frontend.register_in_rpc3()
    first = frontend.container
    frontend.send(rpc3.Predict(1, DataType.FLOAT64, [b""]))
    frontend.expect(rpc3.Heartbeat)
    assert frontend.container != first


def test_refuses_a_batch_of_another_type_and_one_that_is_too_large(frontend, start):
    start(sums, frontend.endpoint, largest_batch=2)
    frontend.register()
    frontend.send(rpc4.Predict(1, items(DataType.STRING, ["a"])))
    assert frontend.expect(rpc4.Failure).code == FailureCode.INVALID_INPUT
    frontend.predict(2, [[1], [2], [3]])
    assert frontend.expect(rpc4.Failure).code == FailureCode.TOO_LARGE
    frontend.predict(3, [[1], [2]])
    assert values(frontend.expect(rpc4.Results)) == [1.0, 2.0]


def test_refuses_a_batch_whose_budget_was_spent_in_its_queue(frontend, start):
    is_busy, go_on = threading.Event(), threading.Event()

    def function(rows):
        is_busy.set()
        assert go_on.wait(BOUND)
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1]])
    assert is_busy.wait(BOUND)
    frontend.predict(2, [[2]], budget=1)
    # Messages keep their order: the container has read the batch when it answers this.
    frontend.predict(3, [])
    frontend.send(rpc4.Predict(4, items(DataType.STRING, ["a"])))
    assert frontend.expect(rpc4.Failure).id == 4
    go_on.set()
    assert frontend.expect(rpc4.Results).id == 1
    late = frontend.expect(rpc4.Failure)
    assert (late.id, late.code) == (2, FailureCode.TOO_LATE)
    assert "ms late" in late.reason
    assert frontend.expect(rpc4.Results).id == 3


def test_outputs_that_are_longer_than_an_answer_holds_are_a_failure_that_says_so(frontend, start, monkeypatch):
    monkeypatch.setattr(answers, "LONGEST_ITEMS", 10)
    start(lambda rows: ["1234"] * len(rows), frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1], [2], [3]])
    failure = frontend.expect(rpc4.Failure)
    assert failure.code == FailureCode.TOO_LARGE
    assert failure.reason == "the outputs have 12 bytes, and 10 at most go into an answer"
    frontend.predict(2, [[1], [2]])
    assert values(frontend.expect(rpc4.Results)) == ["1234", "1234"]


def test_errors_that_are_longer_than_an_answer_holds_are_a_failure_that_says_so(frontend, start, monkeypatch):
    monkeypatch.setattr(answers, "LONGEST_ITEMS", 40)
    start(lambda rows: [InvalidInput("1234")] * len(rows), frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1], [2], [3]])
    failure = frontend.expect(rpc4.Failure)
    assert failure.code == FailureCode.TOO_LARGE
    assert failure.reason == "the errors have 48 bytes, and 40 at most go into an answer"
    frontend.predict(2, [[1], [2]])
    assert values(frontend.expect(rpc4.Results)) == [None, None]
