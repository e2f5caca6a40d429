"""The Python SDK against the real frontend, over RPC 4."""

import signal
from pathlib import Path

import pytest
from models import VALUES
from serving import Load, wait_for

MODELS = Path(__file__).with_name("models.py")


@pytest.fixture
def start(frontend):
    """Starts a container of one of `models.py`."""

    def begin(model, input_type, replicas=1):
        if replicas == 1:
            frontend.register_model(model, 1, input_type)
            frontend.register_application(model, model, input_type)
        return frontend.python(MODELS, model, name=model, version=1, replicas=replicas)

    return begin


def test_outputs_reach_the_client_as_what_they_are(frontend, start):
    start("typed", "strings")
    answers = {name: frontend.predict("typed", name) for name in VALUES}
    assert not any(answer["default"] for answer in answers.values()), answers
    expected = {**VALUES, "bytes": "AP8=", "nan": "nan"}
    assert {name: answer["output"] for name, answer in answers.items()} == expected


def test_one_input_of_100_that_throws_gets_the_error_and_99_their_answers(frontend, start):
    container = start("sums", "doubles")
    inputs = [[float(number), 0.5] for number in range(100, 200)]
    inputs[42] = [13.0, 0.5]
    answers = frontend.predict_batch("sums", inputs)
    poisoned = answers.pop(42)
    assert poisoned["default"] and poisoned["output"] == -1 and "13 is not taken here" in str(poisoned), poisoned
    assert not any(answer["default"] for answer in answers), answers
    assert [answer["output"] for answer in answers] == [sum(row) for row in inputs if row[0] != 13.0]
    assert container.poll() is None
    assert [replica["replica"] for replica in frontend.replicas("sums", 1)] == [0], "nothing has registered again"


def test_a_replica_that_gets_sigterm_under_load_leaves_without_a_default(frontend, start):
    leaving = start("sums", "doubles")
    start("sums", "doubles", replicas=2)
    inputs = [[float(number), 0.5] for number in range(100, 200)]
    with Load(frontend, "sums", inputs).running() as load:
        wait_for(
            lambda: all(replica["completed_queries"] for replica in frontend.replicas("sums", 1)),
            "queries on both replicas",
        )
        leaving.send_signal(signal.SIGTERM)
        wait_for(lambda: leaving.poll() is not None, "the container's end")
        load.wait_for_more()
    assert leaving.returncode == 0, leaving.log.read_text()
    assert load.defaults == []
    assert all(answer["output"] == sum(inputs[index]) for index, answer in load.answers)
    assert len(frontend.replicas("sums", 1)) == 1


def test_heartbeats_come_while_the_model_is_at_work(frontend, start, tmp_path):
    start("patient", "strings")
    file = tmp_path / "done"
    with Load(frontend, "patient", [str(file)], clients=1).running(at_first=0) as load:
        wait_for(lambda: busy(frontend) is not None, "the batch at the container")
        silence = busy(frontend)

        def beaten():
            nonlocal silence
            before, silence = silence, busy(frontend)
            assert silence is not None, "the batch is gone"
            return silence < before

        wait_for(beaten, "a heartbeat")
        file.touch()
        load.wait_for_more(1)
    assert load.defaults == []


def busy(frontend):
    """How long nothing was heard from the replica, if it has a batch."""
    (replica,) = frontend.replicas("patient", 1)
    return replica["seconds_since_last_message"] if replica["batches_in_flight"] else None
