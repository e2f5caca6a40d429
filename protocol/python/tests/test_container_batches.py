"""Containers at work, against a frontend that the test plays: batches and what comes of them."""

import asyncio
import threading

import numpy as np
import pytest
from frontend import BOUND, doubles, items, sums, values

from model_container import context, rpc3, rpc4
from model_container.wire import DataType


def test_gives_equal_rows_as_a_matrix_that_cannot_be_written_to(frontend, start):
    seen = []

    def function(rows):
        seen.append(rows)
        return rows.sum(axis=1)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1, 2, 3], [4, 5, 6]])
    assert values(frontend.expect(rpc4.Results)) == [6.0, 15.0]
    assert seen[0].shape == (2, 3) and not seen[0].flags.writeable and seen[0].flags.aligned


def test_uses_a_large_batch_where_it_was_received(frontend, start):
    seen = []

    def function(rows):
        seen.append(rows)
        return np.zeros(len(rows))

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, np.ones((200, 1000)))
    frontend.expect(rpc4.Results)
    owner = seen[0]
    while isinstance(owner, np.ndarray):
        owner = owner.base
    assert isinstance(owner, memoryview), "the numbers lie in the frame's memory"


def test_gives_ragged_rows_as_a_list_of_arrays(frontend, start):
    start(lambda rows: [f"{type(rows).__name__} {row.tolist()}" for row in rows], frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1, 2], [], [3]])
    assert values(frontend.expect(rpc4.Results)) == ["list [1.0, 2.0]", "list []", "list [3.0]"]


@pytest.mark.parametrize(
    "name, data_type, given, seen",
    [
        ("strings", DataType.STRING, ["grün", ""], ["'grün'", "''"]),
        ("bytes", DataType.BYTES, [b"\0\xff", b""], ["b'\\x00\\xff'", "b''"]),
        ("integers", DataType.INT32, [[-1, 2]], ["array([-1,  2], dtype=int32)"]),
        ("floats", DataType.FLOAT32, [[0.5]], ["array([0.5], dtype=float32)"]),
    ],
)
@pytest.mark.parametrize("rpc", [3, 4])
def test_gives_every_type_of_input(frontend, start, name, data_type, given, seen, rpc):
    start(lambda batch: [repr(value) for value in batch], frontend.endpoint, input_type=name)
    batch = items(data_type, given)
    if rpc == 4:
        frontend.register()
        frontend.send(rpc4.Predict(1, batch))
        assert values(frontend.expect(rpc4.Results)) == seen
    else:
        frontend.register_in_rpc3()
        frontend.send(rpc3.Predict(1, data_type, [batch[index] for index in range(len(given))]))
        assert [text.decode() for text in frontend.expect(rpc3.Response).outputs] == seen


def test_answers_batches_in_their_order_with_the_models_time(frontend, start):
    start(sums, frontend.endpoint)
    frontend.register()
    for batch in range(20):
        frontend.predict(batch, [[batch]])
    for batch in range(20):
        results = frontend.expect(rpc4.Results)
        assert (results.id, values(results)) == (batch, [float(batch)])
        assert results.compute_time is not None


def test_answers_a_batch_without_inputs_without_asking_the_model(frontend, start):
    start(lambda rows: 1 / 0, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [])
    assert len(frontend.expect(rpc4.Results).items) == 0


def test_answers_a_batch_of_5000(frontend, start):
    start(sums, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[index] for index in range(5000)])
    assert values(frontend.expect(rpc4.Results)) == [float(index) for index in range(5000)]


def test_takes_and_gives_16_mib(frontend, start):
    start(lambda batch: batch, frontend.endpoint, input_type="bytes")
    frontend.register()
    given = [bytes(range(256)) * 65536, b"", b"x"]
    frontend.send(rpc4.Predict(1, items(DataType.BYTES, given)))
    assert values(frontend.expect(rpc4.Results)) == given


def test_runs_a_function_of_one_input_for_each(frontend, start):
    start(lambda row: row.tolist(), frontend.endpoint, per_input=True)
    frontend.register()
    frontend.predict(1, [[1, 2], [3]])
    results = frontend.expect(rpc4.Results)
    assert results.items.vectors and values(results) == [[1.0, 2.0], [3.0]]


def test_awaits_an_async_function(frontend, start):
    async def function(rows):
        await asyncio.sleep(0)
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1, 2], [3]])
    assert values(frontend.expect(rpc4.Results)) == [3.0, 3.0]


def test_runs_an_async_function_for_as_many_batches_as_it_takes(frontend, start):
    second_has_come = []

    async def function(rows):
        if rows[0, 0] == 1:
            second_has_come.append(asyncio.Event())
            await asyncio.wait_for(second_has_come[0].wait(), BOUND)
        else:
            second_has_come[0].set()
        return sums(rows)

    start(function, frontend.endpoint, batches_in_flight=2)
    frontend.register()
    frontend.predict(1, [[1]])
    frontend.predict(2, [[2]])
    assert {frontend.expect(rpc4.Results).id, frontend.expect(rpc4.Results).id} == {1, 2}


def test_tells_the_function_of_its_batch(frontend, start):
    seen = []

    def function(rows):
        seen.append((context(), context().remaining))
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(9, [[1]], budget=30_000_000, traceparent="00-ab-cd-01", tracestate="a=b")
    frontend.expect(rpc4.Results)
    batch, remaining = seen[0]
    assert (batch.batch_id, batch.rpc, batch.traceparent, batch.tracestate) == (9, 4, "00-ab-cd-01", "a=b")
    assert 0 < remaining <= 30
    with pytest.raises(RuntimeError):
        context()


def test_hands_feedback_to_the_model(frontend, start):
    seen = []
    learnt = threading.Event()

    def learn(inputs, labels):
        seen.append((inputs.tolist(), labels))
        learnt.set()

    start(sums, frontend.endpoint, feedback=learn)
    assert frontend.register().wants_feedback
    frontend.send(rpc4.Feedback(3, doubles([[1, 2]]), items(DataType.STRING, ["three"])))
    assert learnt.wait(BOUND)
    assert seen == [([[1.0, 2.0]], ["three"])]
