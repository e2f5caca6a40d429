"""Containers at work, against a frontend that the test plays: how sessions begin, go on and end."""

import threading

import pytest
from frontend import BOUND, WELCOME, Frontend, doubles, sums, values

from model_container import rpc3, rpc4
from model_container.actions import Timing
from model_container.rpc4 import GoodbyeCode
from model_container.wire import DataType

# Registration and versions.


def test_registers_in_rpc4_with_what_it_is_and_what_it_takes(frontend, start):
    start(sums, frontend.endpoint, largest_batch=256, batches_in_flight=3, metadata={"framework": "none"})
    registration = frontend.register()
    assert frontend.container.startswith(b"rpc4-") and len(frontend.container) == 37
    assert (registration.model_name, registration.model_version) == ("test", "1")
    assert registration.input_type is DataType.FLOAT64
    assert (registration.largest_batch, registration.batches_in_flight) == (256, 3)
    assert registration.beats_while_busy and not registration.wants_feedback
    assert registration.software.startswith("model-container-python/")
    metadata = dict(registration.metadata)
    assert metadata["framework"] == "none" and {"host", "pid", "sdk", "language"} <= set(metadata)


def test_falls_back_to_rpc3_where_the_frontend_answers_in_it(frontend, start):
    start(sums, frontend.endpoint)
    registration = frontend.register_in_rpc3()
    assert registration == rpc3.NewContainer("test", "1", DataType.FLOAT64)
    rows = doubles([[1, 2], [0.1], []])
    frontend.send(rpc3.Predict(7, DataType.FLOAT64, [rows[index] for index in range(3)]))
    assert frontend.expect(rpc3.Response) == rpc3.Response(7, (b"3.0", b"0.1", b"0.0"))


def test_follows_a_frontend_that_is_replaced_by_one_that_speaks_more(start):
    with Frontend() as old:
        start(sums, old.endpoint)
        old.register_in_rpc3()
        port = old.port
    with Frontend(port) as new:
        new.register()
        new.predict(1, [[1, 2]])
        assert values(new.expect(rpc4.Results)) == [3.0]


def test_follows_a_frontend_that_is_replaced_by_one_that_speaks_less(start):
    with Frontend() as old:
        start(sums, old.endpoint)
        old.register()
        first = old.container
        port = old.port
    with Frontend(port) as new:
        new.register_in_rpc3()
        assert new.container != first


def test_forced_to_rpc3_it_chooses_no_routing_id(frontend, start):
    start(sums, frontend.endpoint, rpc=3)
    frontend.register_in_rpc3()
    assert not frontend.container.startswith(b"rpc4-")
    with pytest.raises(AssertionError):
        frontend.send(WELCOME)
        frontend.expect(rpc4.Register, bound=0.3)


def test_forced_to_rpc4_it_does_not_register_in_rpc3(frontend, start):
    start(sums, frontend.endpoint, rpc=4, timing=Timing(longest_pause=0.05))
    frontend.expect(rpc3.Heartbeat)
    first = frontend.container
    frontend.send(rpc3.RequestMetadata())
    frontend.expect(rpc3.Heartbeat)
    assert frontend.container != first


def test_a_refused_container_tries_again_in_a_new_session(frontend, start, caplog):
    start(sums, frontend.endpoint)
    frontend.expect(rpc3.Heartbeat)
    frontend.send(WELCOME)
    frontend.expect(rpc4.Register)
    first = frontend.container
    frontend.send(rpc4.Refused(1, "test takes strings: start it with --input-type strings", retry_after=50))
    frontend.register()
    assert frontend.container != first
    assert "test takes strings: start it with --input-type strings" in caplog.text


# Sessions.


def test_beats_while_the_model_is_at_work(frontend, start):
    go_on = threading.Event()

    def function(rows):
        assert go_on.wait(BOUND)
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register(rpc4.Welcome(heartbeat_interval=20, silence_limit=2000000))
    frontend.predict(1, [[1]])
    for _ in range(3):
        assert frontend.receive() == rpc3.Heartbeat()
        frontend.send(rpc4.HeartbeatAnswer())
    go_on.set()
    assert frontend.expect(rpc4.Results).id == 1


def test_says_that_it_may_be_silent_while_the_model_is_at_work(frontend, program, script):
    program(
        script("""
        from model_container import serve
        serve(lambda xs: xs, name="keeps", version=1, beats_while_busy=False)
        """),
        CLIPPER_PORT=str(frontend.port),
    )
    assert not frontend.register().beats_while_busy


def test_gives_a_silent_frontend_up_and_opens_another_session(frontend, start):
    start(sums, frontend.endpoint)
    frontend.register(rpc4.Welcome(heartbeat_interval=20, silence_limit=60))
    first = frontend.container
    while frontend.container == first:
        assert frontend.receive() == rpc3.Heartbeat()


def test_registers_again_after_the_frontends_restart(start):
    with Frontend() as old:
        start(sums, old.endpoint)
        old.register()
        first, port = old.container, old.port
    with Frontend(port) as new:
        new.register()
        assert new.container != first
        new.predict(1, [[1, 2]])
        assert values(new.expect(rpc4.Results)) == [3.0]


def test_does_not_answer_what_came_before_a_welcome(frontend, start):
    is_busy, go_on = threading.Event(), threading.Event()

    def function(rows):
        is_busy.set()
        assert go_on.wait(BOUND)
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1]])
    frontend.predict(2, [[2]])
    assert is_busy.wait(BOUND)
    frontend.send(WELCOME)
    frontend.expect(rpc4.Register)
    frontend.predict(2, [[3]])
    go_on.set()
    results = frontend.expect(rpc4.Results)
    assert (results.id, values(results)) == (2, [3.0])


def test_a_malformed_message_ends_the_session(frontend, start, caplog):
    start(sums, frontend.endpoint)
    frontend.register()
    first = frontend.container
    frontend.send_frames([b"\4\0\0"])
    frontend.register()
    assert frontend.container != first
    assert "head-length in frame 0" in caplog.text


def test_ignores_a_notice(frontend, start):
    start(sums, frontend.endpoint)
    frontend.register()
    frontend.send_frames([bytes([4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), b"of a later version"])
    frontend.predict(1, [[1]])
    assert values(frontend.expect(rpc4.Results)) == [1.0]


# The end.


def test_a_stopped_container_says_goodbye_and_answers_what_comes_until_it_is_answered(frontend, start):
    container = start(sums, frontend.endpoint)
    frontend.register()
    container.stop("SIGTERM")
    assert frontend.expect(rpc4.Goodbye) == rpc4.Goodbye(GoodbyeCode.STOPPING, "SIGTERM")
    frontend.predict(1, [[1, 2]])
    frontend.send(rpc4.Goodbye(GoodbyeCode.STOPPING))
    assert values(frontend.expect(rpc4.Results)) == [3.0]
    container.thread.join(BOUND)
    assert not container.thread.is_alive()


def test_a_stopped_container_does_not_wait_for_ever_for_a_goodbye(frontend, start):
    container = start(sums, frontend.endpoint, timing=Timing(goodbye_patience=0.05))
    frontend.register()
    container.stop()
    frontend.expect(rpc4.Goodbye)
    container.thread.join(BOUND)
    assert not container.thread.is_alive()


def test_a_stopped_container_answers_its_last_batch_in_rpc3(frontend, start):
    is_busy, go_on = threading.Event(), threading.Event()

    def function(rows):
        is_busy.set()
        assert go_on.wait(BOUND)
        return sums(rows)

    container = start(function, frontend.endpoint)
    frontend.register_in_rpc3()
    frontend.send(rpc3.Predict(5, DataType.FLOAT64, [doubles([[1, 2]])[0]]))
    assert is_busy.wait(BOUND)
    container.stop()
    go_on.set()
    assert frontend.expect(rpc3.Response) == rpc3.Response(5, (b"3.0",))
    container.thread.join(BOUND)
    assert not container.thread.is_alive()


def test_stopped_twice_it_ends_at_once(frontend, start):
    is_busy, go_on = threading.Event(), threading.Event()

    def function(rows):
        is_busy.set()
        go_on.wait(BOUND)
        return sums(rows)

    container = start(function, frontend.endpoint)
    frontend.register()
    frontend.predict(1, [[1]])
    assert is_busy.wait(BOUND)
    container.stop()
    container.stop()
    container.thread.join(BOUND)
    assert not container.thread.is_alive()
    go_on.set()


def test_a_drained_container_ends(frontend, start):
    container = start(sums, frontend.endpoint)
    frontend.register()
    frontend.send(rpc4.Goodbye(GoodbyeCode.DRAINED, "not needed"))
    container.thread.join(BOUND)
    assert not container.thread.is_alive()
    assert not frontend.has_input(0), "it doesn't answer that goodbye"


def test_a_frontend_that_stops_gets_its_answers_and_no_goodbye(frontend, start):
    is_busy, go_on = threading.Event(), threading.Event()

    def function(rows):
        is_busy.set()
        assert go_on.wait(BOUND)
        return sums(rows)

    start(function, frontend.endpoint)
    frontend.register()
    first = frontend.container
    frontend.predict(1, [[1]])
    frontend.send(rpc4.Goodbye(GoodbyeCode.RESTARTING))
    assert is_busy.wait(BOUND)
    go_on.set()
    assert frontend.expect(rpc4.Results).id == 1
    frontend.register()
    assert frontend.container != first
