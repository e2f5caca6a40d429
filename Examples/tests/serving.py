"""A query frontend, its containers and its clients, as processes and threads that end with the test."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "Examples"
BIN = Path(os.environ.get("CLIPPER_BIN", REPOSITORY / ".build" / "debug")).resolve()
SDK = REPOSITORY / "protocol" / "python" / "src"

BOUND = 240.0
"""Seconds for whatever is waited for: far more than it takes, also on a machine that is busy."""


def wait_for(condition, what):
    """Polls until the condition holds, and returns what it gave."""
    end = time.monotonic() + BOUND
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {BOUND:.0f} s in vain for {what}")
        time.sleep(0.02)  # between two looks


class Processes:
    """Starts programs, keeps what they say in files, and ends them all."""

    def __init__(self, folder):
        self._folder = folder
        self._started = []

    def start(self, *command):
        log = self._folder / f"{len(self._started)}-{Path(str(command[0])).name}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CLIPPER_")}
        environment["PYTHONPATH"] = str(SDK)
        with open(log, "wb") as file:
            process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
            )
        process.log = log
        self._started.append(process)
        return process

    def end(self):
        for process in reversed(self._started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self):
        return "\n".join(f"== {process.log.name}\n{process.log.read_text()[-3000:]}" for process in self._started)


class Frontend:
    """A real one, on ports that the system picks."""

    def __init__(self, processes):
        self.processes = processes
        process = processes.start(
            BIN / "clipper", "serve", "--store", ":memory:", "--log-level", "info",
            "--query-port", 0, "--admin-port", 0, "--rpc-port", 0,
        )  # fmt: skip

        def ready():
            assert process.poll() is None, f"the frontend ended:\n{process.log.read_text()}"
            lines = process.log.read_text().splitlines()
            return next((line for line in lines if line.startswith("ready ")), None)

        addresses = dict(pair.split("=", 1) for pair in wait_for(ready, "a frontend that is ready").split()[1:])
        self.query, self.admin, self.rpc = (addresses[name] for name in ("query", "admin", "rpc"))

    def run(self, *command):
        """`clipper COMMAND`, which has to succeed."""
        ended = subprocess.run(
            [str(BIN / "clipper"), *map(str, command), "--admin", self.admin],
            capture_output=True, text=True, timeout=BOUND,
        )  # fmt: skip
        assert ended.returncode == 0, f"clipper {' '.join(map(str, command))}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def register_model(self, name, version, input_type="doubles"):
        # Without the cache: every query is to reach a container.
        self.run("model", "register", name, version, "--input-type", input_type, "--no-cache")

    def register_application(self, name, model, input_type="doubles", slo="60s"):
        default = ("--default-output", "-1", "--slo", slo)
        self.run("app", "register", name, "--input-type", input_type, *default, "--link", model)

    def status(self):
        return json.loads(self.run("status", "--json"))

    def replicas(self, name, version):
        replicas = self.status()["replicas"]
        return [r for r in replicas if (r["model_name"], r["model_version"]) == (name, str(version))]

    def container(self, *command, name, version, input_type=None, replicas=1):
        """Starts a container, and waits until so many replicas are there."""
        input_types = () if input_type is None else ("--input-type", input_type)
        process = self.processes.start(
            *command, "--name", name, "--version", version, *input_types, "--frontend", self.rpc
        )

        def connected():
            assert process.poll() is None, f"the container ended:\n{process.log.read_text()}"
            return len(self.replicas(name, version)) >= replicas

        wait_for(connected, f"{replicas} replicas of {name} {version}")
        return process

    def python(self, script, *arguments, **settings):
        return self.container(sys.executable, script, *arguments, **settings)

    def predict(self, application, value, client=None):
        """The answer to one query."""
        return self._post(application, {"input": value}, client)

    def predict_batch(self, application, values):
        """The answers to a query of several inputs, in their order."""
        answer = self._post(application, {"input_batch": values})
        return answer.get("batch_predictions", [answer])

    def client(self):
        return http.client.HTTPConnection(urlsplit(self.query).netloc, timeout=BOUND)

    def _post(self, application, body, client=None):
        used = client or self.client()
        used.request("POST", f"/{application}/predict", json.dumps(body))
        response = used.getresponse()
        said = response.read()
        if client is None:
            used.close()
        assert response.status == 200, said
        return json.loads(said)


class Load:
    """Clients that ask one query after the other; `answers` are pairs of the input's index and the answer."""

    def __init__(self, frontend, application, inputs, clients=4):
        self.answers = []
        self._errors = []
        self._frontend, self._application, self._inputs = frontend, application, inputs
        self._stopped = threading.Event()
        self._end = time.monotonic() + BOUND
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(clients)]

    def _ask(self, index):
        client = self._frontend.client()
        try:
            while not self._stopped.is_set() and time.monotonic() < self._end:
                index = (index + 7) % len(self._inputs)
                answer = self._frontend.predict(self._application, self._inputs[index], client)
                self.answers.append((index, answer))
        except Exception as error:
            self._errors.append(error)
        finally:
            client.close()

    def wait_for_more(self, count=100):
        """Until so many more queries are answered."""
        wanted = len(self.answers) + count
        wait_for(lambda: self._errors or len(self.answers) >= wanted, f"{count} more answers")
        assert not self._errors, self._errors

    @contextmanager
    def running(self, at_first=100):
        """Loads the application while its block runs, which begins after so many answers."""
        for thread in self._threads:
            thread.start()
        try:
            self.wait_for_more(at_first)
            yield self
        finally:
            self._stopped.set()
            for thread in self._threads:
                thread.join(BOUND)
        assert not self._errors, self._errors

    @property
    def defaults(self):
        return [answer for _, answer in self.answers if answer["default"]]
