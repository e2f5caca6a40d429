"""The PySpark example: a pipeline of MLlib, trained, saved and served."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from serving import wait_for

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")
if shutil.which("java") is None:
    pytest.skip("there is no java on the PATH", allow_module_level=True)

TRAINING_BOUND = 300


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of the pipeline that the example trains; held-out images; the pipeline's own predictions."""
    folder = tmp_path_factory.mktemp("pyspark")
    script = Path(__file__).with_name("own_answers.py")
    ended = subprocess.run(
        [sys.executable, script, folder / "digits-pipeline", folder / "answers.json"],
        capture_output=True, text=True, timeout=TRAINING_BOUND,
    )  # fmt: skip
    assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}"
    images, predictions = zip(*json.loads((folder / "answers.json").read_text()))
    return folder / "digits-pipeline", images, list(predictions)


def test_a_served_pipeline_answers_as_its_own_transform_does(frontend, trained):
    folder, images, predictions = trained
    frontend.register_model("digits-spark", 1)
    frontend.register_application("digits-spark", "digits-spark", slo="600s")
    command = (sys.executable, "-m", "model_container.pyspark", folder)
    container = frontend.container(*command, name="digits-spark", version=1, input_type="doubles")

    assert len(images) == 599
    answers = frontend.predict_batch("digits-spark", images)
    assert not any(answer["default"] for answer in answers)
    assert [answer["output"] for answer in answers] == predictions

    *good, bad = frontend.predict_batch("digits-spark", [*images[:10], [1.0, 2.0]])
    assert [answer["output"] for answer in good] == predictions[:10]
    assert bad["default"] and "64" in str(bad), "an input of the wrong length gets what Spark says of it"

    container.send_signal(signal.SIGTERM)
    wait_for(lambda: container.poll() is not None, "the container's end")
    assert container.returncode == 0, container.log.read_text()
