"""The session by values: events and times go in, actions come out."""

import pytest
from frontend import doubles, items

from model_container import rpc3, rpc4
from model_container.actions import Close, End, Forget, Job, Learn, Open, Run, Send
from model_container.rpc4 import FailureCode, GoodbyeCode
from model_container.session import Session
from model_container.wire import DataType, WireError

REGISTRATION = rpc4.Register("sum", "1", DataType.FLOAT64, largest_batch=2, beats_while_busy=True)
NEW_CONTAINER = rpc3.NewContainer("sum", "1", DataType.FLOAT64)
WELCOME = rpc4.Welcome(heartbeat_interval=2000, silence_limit=6000)
BEAT = [Send(rpc3.Heartbeat())]
BATCH = rpc4.Predict(7, doubles([[1, 2]]))
BATCH_3 = rpc3.Predict(7, DataType.FLOAT64, (b"\0" * 8,))
RESULTS = rpc4.Results(7, doubles([3]))
RESPONSE = rpc3.Response(7, (b"3.0",))
GOODBYE = rpc4.Goodbye(GoodbyeCode.STOPPING)


def connected(**settings):
    """A session whose socket was opened and connected at 0, and has sent its heartbeat."""
    session = Session(REGISTRATION, 0.0, **settings)
    assert isinstance(session.tick(0.0)[0], Open)
    assert session.connected(0.0) == BEAT
    return session


def registered(at=0.0, **settings):
    session = connected(**settings)
    assert session.received(WELCOME, at) == [Send(REGISTRATION)]
    assert session.received(rpc4.Accepted(0), at) == []
    return session


def registered_in_rpc3(at=0.0, **settings):
    session = connected(**settings)
    assert session.received(rpc3.RequestMetadata(), at) == [Send(NEW_CONTAINER)]
    return session


def job_of(actions):
    (run,) = actions
    assert isinstance(run, Run)
    return run.job


def closed(actions):
    (close,) = actions
    assert isinstance(close, Close)
    return close


def ended(actions):
    (end,) = actions
    assert isinstance(end, End)
    return end


# Opening.


def test_every_session_has_another_routing_id():
    session = Session(REGISTRATION, 0.0)
    (first,) = session.tick(0.0)
    session.disconnected(0.0)
    (second,) = session.tick(1.0)
    assert first.routing_id[:5] == second.routing_id[:5] == b"rpc4-"
    assert len(first.routing_id) == 37 and first != second


def test_a_container_of_rpc3_chooses_no_routing_id():
    assert Session(REGISTRATION, 0.0, rpc=3).tick(0.0) == [Open(None)]


def test_sends_its_heartbeat_when_the_connection_stands():
    session = Session(REGISTRATION, 0.0)
    session.tick(0.0)
    assert session.connected(3.0) == BEAT


def test_a_message_may_overtake_the_news_of_its_connection():
    session = Session(REGISTRATION, 0.0)
    session.tick(0.0)
    assert session.received(WELCOME, 1.0) == BEAT + [Send(REGISTRATION)]
    assert session.connected(1.0) == []


def test_repeats_its_heartbeat_until_it_is_answered_and_then_opens_another_session():
    session = connected()
    for now in (5.0, 10.0, 15.0, 20.0, 25.0):
        assert session.deadline == now
        assert session.tick(now - 0.1) == []
        assert session.tick(now) == BEAT
    closed(session.tick(30.0))
    assert session.deadline == 30.0, "silence costs no pause"
    assert isinstance(session.tick(30.0)[0], Open)


def test_opens_another_session_where_nobody_answers_the_connection():
    session = Session(REGISTRATION, 0.0)
    session.tick(0.0)
    assert session.deadline == 30.0
    assert "nobody has answered" in closed(session.tick(30.0)).reason


# Versions.


def test_answers_in_the_version_of_the_frontends_last_message():
    session = connected()
    assert session.received(rpc3.RequestMetadata(), 1.0) == [Send(NEW_CONTAINER)]
    assert session.version == 3
    assert session.received(WELCOME, 2.0) == [Send(REGISTRATION)]
    assert session.version == 4
    assert session.received(rpc3.RequestMetadata(), 3.0) == [Send(NEW_CONTAINER)]


def test_told_to_speak_rpc4_only_it_asks_a_frontend_of_rpc3_rarely():
    session = connected(rpc=4)
    assert "speaks RPC 3" in closed(session.received(rpc3.RequestMetadata(), 1.0)).reason
    assert session.deadline == 6.0


# Heartbeats and silence.


def test_in_rpc4_beats_when_nothing_was_sent():
    session = registered()
    session.received(rpc4.HeartbeatAnswer(), 1.9)
    assert session.tick(2.0) == BEAT
    job = job_of(session.received(BATCH, 2.5))
    session.finished(job, RESULTS, 3.0)
    assert session.deadline == 5.0


def test_in_rpc3_beats_when_nothing_came():
    session = registered_in_rpc3(at=1.0)
    assert session.deadline == 6.0
    session.received(rpc3.KeepAlive(), 4.0)
    assert session.deadline == 9.0
    assert session.tick(9.0) == BEAT
    assert session.deadline == 14.0


def test_the_frontend_states_the_silence_limit():
    session = registered()
    assert session.tick(2.0) == BEAT
    assert session.tick(4.0) == BEAT
    assert "silent for 6 s" in closed(session.tick(6.0)).reason


@pytest.mark.parametrize("message", [rpc3.RequestMetadata(), rpc3.KeepAlive(), BATCH_3])
def test_where_the_frontend_goes_on_in_rpc3_its_times_hold_again(message):
    session = registered()
    session.received(message, 1.0)
    for now in (6.0, 11.0, 16.0, 21.0, 26.0):
        assert session.deadline == now
        assert session.tick(now) == BEAT
    assert "silent for 30 s" in closed(session.tick(31.0)).reason


def test_time_in_which_nobody_listened_is_not_the_frontends_silence():
    session = registered()
    assert session.tick(60.0) == BEAT
    assert session.tick(62.0) == BEAT
    closed(session.tick(64.0))


# Batches.


def test_a_batch_is_run_and_answered():
    session = registered()
    job = job_of(session.received(rpc4.Predict(7, BATCH.items, 1500, "parent", "state"), 10.0))
    assert job == Job(1, 0, 4, 7, BATCH.items, 10.0, 10.0015, "parent", "state")
    assert session.finished(job, RESULTS, 10.1) == [Send(RESULTS)]
    assert session.finished(job, RESULTS, 10.2) == [], "exactly once"


def test_two_batches_with_the_same_id_are_both_answered():
    session = registered_in_rpc3()
    first, second = job_of(session.received(BATCH_3, 1.0)), job_of(session.received(BATCH_3, 1.0))
    assert session.finished(first, RESPONSE, 1.0) == [Send(RESPONSE)]
    assert session.finished(second, RESPONSE, 1.0) == [Send(RESPONSE)]


@pytest.mark.parametrize(
    "begin, batch, ask, answer",
    [
        (registered, BATCH, WELCOME, Send(REGISTRATION)),
        (registered_in_rpc3, BATCH_3, rpc3.RequestMetadata(), Send(NEW_CONTAINER)),
    ],
)
def test_batches_from_before_a_registration_are_forgotten(begin, batch, ask, answer):
    session = begin()
    job = job_of(session.received(batch, 1.0))
    assert session.received(ask, 2.0) == [Forget(), answer]
    assert session.finished(job, RESULTS, 3.0) == []
    again = job_of(session.received(batch, 4.0))
    assert again.session != job.session


def test_a_batch_of_another_type_is_refused_in_rpc4_and_ends_the_session_in_rpc3():
    (failure,) = registered().received(rpc4.Predict(7, items(DataType.STRING, ["a"])), 1.0)
    assert (failure.message.id, failure.message.code) == (7, FailureCode.INVALID_INPUT)
    closed(registered_in_rpc3().received(rpc3.Predict(7, DataType.STRING, (b"a",)), 1.0))


def test_a_batch_that_is_too_large_is_refused():
    (failure,) = registered().received(rpc4.Predict(7, doubles([[1], [2], [3]])), 1.0)
    assert failure.message == rpc4.Failure(7, FailureCode.TOO_LARGE, "3 inputs, and this container takes 2 at most")


def test_feedback_is_for_those_who_want_it():
    feedback = rpc4.Feedback(1, doubles([[1]]), doubles([1]))
    assert registered().received(feedback, 1.0) == []
    keen = Session(rpc4.Register("sum", "1", DataType.FLOAT64, wants_feedback=True), 0.0)
    keen.tick(0.0)
    keen.received(WELCOME, 0.0)
    assert keen.received(feedback, 1.0) == [Learn(feedback)]
    assert registered_in_rpc3().received(rpc3.Feedback(1, DataType.FLOAT64, ()), 1.0) == []


# Pauses between sessions.


def pause_after(session, now):
    return pytest.approx(session.deadline - now)


def test_the_pause_doubles_until_a_batch_was_answered():
    session = registered()
    now = 0.0
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
        session.disconnected(now)
        assert pause == pause_after(session, now)
        now = session.deadline
        session.tick(now)
        session.connected(now)
    session.received(WELCOME, now)
    session.finished(job_of(session.received(BATCH, now)), RESULTS, now)
    session.disconnected(now)
    assert 0.1 == pause_after(session, now)


def test_a_session_that_was_answered_for_long_begins_with_the_first_pause():
    session = registered()
    session.disconnected(0.0)
    session.tick(session.deadline)
    session.connected(1.0)
    session.received(WELCOME, 1.0)
    session.disconnected(5.9)
    assert 0.2 == pause_after(session, 5.9)
    session.tick(session.deadline)
    session.connected(7.0)
    session.received(WELCOME, 7.0)
    session.disconnected(12.0)
    assert 0.1 == pause_after(session, 12.0)


def test_pauses_differ_by_a_fifth():
    for pause, session in ((0.08, registered(random=lambda: 0.0)), (0.12, registered(random=lambda: 1.0))):
        session.disconnected(0.0)
        assert pause == pause_after(session, 0.0)


def test_the_first_failed_batch_of_rpc3_costs_no_pause():
    session = registered_in_rpc3()
    closed(session.finished(job_of(session.received(BATCH_3, 1.0)), None, 1.0))
    assert session.deadline == 1.0
    session.tick(1.0)
    session.received(rpc3.RequestMetadata(), 1.0)
    closed(session.finished(job_of(session.received(BATCH_3, 1.0)), None, 1.0))
    assert 0.2 == pause_after(session, 1.0)


def test_a_malformed_message_ends_the_session():
    session = registered()
    reason = closed(session.malformed(WireError("offsets", 1, "the first offset 0", "4"), 1.0)).reason
    assert "offsets in frame 1" in reason
    assert 0.1 == pause_after(session, 1.0)


def test_a_frontend_of_another_version_is_asked_rarely():
    session = connected()
    closed(session.malformed(WireError("unsupported-version", 0, "RPC version 4", "5"), 1.0))
    assert session.deadline == 6.0


@pytest.mark.parametrize("retry_after, due", [(1500, 2.5), (101, 1.101), (100, 1.1), (99, 1.1), (0, 1.1), (None, 6.0)])
def test_a_refused_container_waits_as_long_as_it_was_told_and_never_less_than_100_ms(retry_after, due):
    session = connected()
    session.received(WELCOME, 1.0)
    close = closed(session.received(rpc4.Refused(2, "no such\nfield", retry_after), 1.0))
    assert "'no such\\nfield'" in close.reason, "text from the wire is escaped"
    assert session.deadline == pytest.approx(due)


def test_a_refusal_without_a_reason_is_named_by_its_code():
    for code, name in ((5, "not-wanted"), (99, "code 99")):
        session = connected()
        session.received(WELCOME, 1.0)
        assert name in closed(session.received(rpc4.Refused(code), 1.0)).reason


# The end.


def test_says_goodbye_and_answers_until_the_frontends_goodbye():
    session = registered()
    job = job_of(session.received(BATCH, 1.0))
    assert session.stop(2.0, "SIGTERM") == [Send(rpc4.Goodbye(GoodbyeCode.STOPPING, "SIGTERM"))]
    late = job_of(session.received(BATCH, 2.1))
    assert session.finished(job, RESULTS, 2.2) == [Send(RESULTS)]
    assert session.received(GOODBYE, 2.3) == []
    assert not session.is_reading
    answer, end = session.finished(late, RESULTS, 2.4)
    assert answer == Send(RESULTS) and end.linger > 0
    assert session.has_ended and session.deadline is None


def test_with_nothing_in_hand_the_frontends_goodbye_is_the_end():
    session = registered()
    session.stop(2.0, "SIGTERM")
    assert ended(session.received(GOODBYE, 2.3)).linger > 0


def test_waits_5_s_for_the_frontends_goodbye():
    session = registered()
    job = job_of(session.received(BATCH, 1.0))
    session.stop(2.0, "SIGTERM")
    assert session.tick(4.0) == BEAT, "and goes on beating"
    session.received(rpc4.HeartbeatAnswer(), 4.0)
    assert session.tick(6.0) == BEAT
    assert session.deadline == 7.0
    assert session.tick(7.0) == []
    assert session.tick(8.0) == BEAT, "also while it has something to answer"
    answer, end = session.finished(job, RESULTS, 9.0)
    assert answer == Send(RESULTS) and isinstance(end, End)


def test_leaving_a_frontend_that_knows_nothing_of_the_session_is_the_end():
    for message in (WELCOME, rpc4.Refused(1)):
        session = registered()
        session.stop(2.0, "SIGTERM")
        ended(session.received(message, 2.1))


def test_in_rpc3_answers_what_was_read():
    session = registered_in_rpc3()
    first, second = job_of(session.received(BATCH_3, 1.0)), job_of(session.received(BATCH_3, 1.0))
    assert session.stop(2.0, "SIGTERM") == []
    assert not session.is_reading
    assert session.finished(first, RESPONSE, 3.0) == [Send(RESPONSE)]
    answer, end = session.finished(second, RESPONSE, 3.0)
    assert answer == Send(RESPONSE) and end.linger > 0


def test_without_a_frontend_there_is_nothing_to_wait_for():
    ended(Session(REGISTRATION, 0.0).stop(0.0, "SIGTERM"))
    ended(connected().stop(1.0, "SIGTERM"))
    ended(registered_in_rpc3().stop(1.0, "SIGTERM"))


def test_a_second_stop_ends_at_once():
    session = registered()
    session.received(BATCH, 1.0)
    session.stop(2.0, "SIGTERM")
    assert ended(session.stop(2.1, "SIGTERM")).linger == 0
    assert session.stop(2.2, "SIGTERM") == []


def test_a_lost_connection_ends_a_container_that_was_told_to_stop():
    session = registered()
    session.stop(2.0, "SIGTERM")
    ended(session.disconnected(2.1))


def test_a_drained_container_ends_when_its_last_batch_is_answered():
    session = registered()
    job = job_of(session.received(BATCH, 1.0))
    assert session.received(rpc4.Goodbye(GoodbyeCode.DRAINED), 2.0) == []
    answer, end = session.finished(job, RESULTS, 3.0)
    assert answer == Send(RESULTS) and end.linger > 0


def test_a_drained_container_never_registers_again():
    for event in (lambda s: s.received(WELCOME, 3.0), lambda s: s.disconnected(3.0)):
        session = registered()
        session.received(BATCH, 1.0)
        session.received(rpc4.Goodbye(GoodbyeCode.DRAINED), 2.0)
        ended(event(session))


@pytest.mark.parametrize("code", [GoodbyeCode.STOPPING, GoodbyeCode.RESTARTING, 99])
def test_after_a_frontends_goodbye_another_session_is_opened(code):
    session = registered()
    job = job_of(session.received(BATCH, 1.0))
    assert session.received(rpc4.Goodbye(code), 2.0) == [], "it is not answered"
    answer, close = session.finished(job, RESULTS, 3.0)
    assert answer == Send(RESULTS) and close.linger > 0
    assert isinstance(session.tick(session.deadline)[0], Open)


def test_stopped_after_the_frontends_goodbye_it_says_none():
    session = registered()
    job = job_of(session.received(BATCH, 1.0))
    session.received(rpc4.Goodbye(GoodbyeCode.RESTARTING), 2.0)
    assert session.stop(2.1, "SIGTERM") == []
    answer, end = session.finished(job, RESULTS, 3.0)
    assert answer == Send(RESULTS) and isinstance(end, End)
