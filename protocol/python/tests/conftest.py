import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from frontend import BOUND, Frontend

from model_container import Model
from model_container.container import Container
from model_container.settings import Options, settings

SOURCES = Path(__file__).resolve().parents[1] / "src"


@pytest.fixture
def frontend():
    with Frontend() as played:
        yield played


@pytest.fixture
def start():
    """Starts containers of functions, each in a thread of its own, and ends them after the test."""
    started = []

    def begin(function, endpoint, timing=None, rpc=None, **settings_of_model):
        model = Model(function, **{"name": "test", "version": "1", "input_type": "doubles", **settings_of_model})
        container = Container(
            model, settings(model, Options(endpoint=endpoint, rpc=rpc), environment={}, timing=timing)
        )
        thread = threading.Thread(target=container.run, daemon=True)
        thread.start()
        started.append((container, thread))
        container.thread = thread
        return container

    yield begin
    for container, thread in started:
        if thread.is_alive():
            container.stop()
            container.stop()
            thread.join(BOUND)
            assert not thread.is_alive()


@pytest.fixture
def script(tmp_path):
    """Writes a program, which may be indented."""

    def write(content):
        path = tmp_path / "container.py"
        path.write_text(textwrap.dedent(content))
        return path

    return write


@pytest.fixture
def program():
    """Starts Python with these arguments and variables, and ends it after the test."""
    started = []

    def begin(*arguments, **variables):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CLIPPER_")}
        environment.update({"PYTHONPATH": str(SOURCES), **variables})
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # With what it has forked, which has its pipes.
        except ProcessLookupError:
            pass
        process.communicate()
