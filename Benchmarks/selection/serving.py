"""A query frontend and its containers as processes that end with the experiment."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
SDK = REPOSITORY / "protocol" / "python" / "src"
BIN = Path(os.environ.get("CLIPPER_BIN_DIR", REPOSITORY / ".build" / "release")).resolve()

BOUND = 120.0
"""Seconds for whatever is waited for: far more than it takes, also on a machine that is busy."""


class Failure(Exception):
    """An experiment that cannot go on, or measured something else than it was to."""


def wait_for(condition, what):
    """Polls until the condition holds, and returns what it gave."""
    end = time.monotonic() + BOUND
    while not (found := condition()):
        if time.monotonic() > end:
            raise Failure(f"waited {BOUND:.0f} s in vain for {what}")
        time.sleep(0.02)  # between two looks
    return found


class Processes:
    """Starts programs, keeps what they say in files, and ends them all."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._started = []

    def start(self, *command):
        log = self.folder / f"{len(self._started)}-{Path(str(command[0])).name}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("CLIPPER_")}
        # One thread for each container's arithmetic: all of them share the cores with what is measured.
        environment |= {"PYTHONPATH": str(SDK), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with open(log, "wb") as file:
            process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment
            )
        process.log = log
        self._started.append(process)
        return process

    def end(self):
        end(*reversed(self._started))


def end(*processes):
    """Asks processes to end, and ends those that do not within 20 seconds."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Frontend:
    """`clipper serve` on ports that the system picks."""

    def __init__(self, processes, *options, store=":memory:", ports=(0, 0, 0)):
        self._processes = processes
        query, admin, rpc = ports
        self.process = processes.start(
            BIN / "clipper", "serve", "--store", store, "--log-level", "warning",
            "--query-port", query, "--admin-port", admin, "--rpc-port", rpc, *options,
        )  # fmt: skip

        def ready():
            if self.process.poll() is not None:
                raise Failure(f"the frontend ended:\n{self.process.log.read_text()}")
            lines = self.process.log.read_text().splitlines()
            return next((line for line in lines if line.startswith("ready ")), None)

        addresses = dict(pair.split("=", 1) for pair in wait_for(ready, "a frontend that is ready").split()[1:])
        self.query, self.admin, self.rpc = (addresses[name] for name in ("query", "admin", "rpc"))

    @property
    def ports(self):
        """Of queries, administration and containers: for another frontend in this one's place."""
        return tuple(urlsplit(address).port for address in (self.query, self.admin, self.rpc))

    def end(self):
        end(self.process)

    def run(self, *command):
        """`clipper COMMAND`, which has to succeed."""
        ended = subprocess.run(
            [str(BIN / "clipper"), *map(str, command), "--admin", self.admin],
            capture_output=True, text=True, timeout=BOUND,
        )  # fmt: skip
        if ended.returncode != 0:
            raise Failure(f"clipper {' '.join(map(str, command))}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def register_model(self, name, version=1, caches=False):
        """A model for doubles. Without the cache every query reaches a container."""
        self.run("model", "register", name, version, "--input-type", "doubles", *(() if caches else ("--no-cache",)))

    def register_application(self, name, *models, slo="1s", policy=None):
        links = [word for model in models for word in ("--link", model)]
        chosen = () if policy is None else ("--policy", policy)
        self.run(
            "app", "register", name, "--input-type", "doubles", "--default-output=-1", "--slo", slo, *links, *chosen
        )

    def replicas(self):
        """Names and versions of the models of all containers that are there."""
        replicas = json.loads(self.run("status", "--json"))["replicas"]
        return [(replica["model_name"], str(replica["model_version"])) for replica in replicas]

    def await_replicas(self, count):
        wait_for(lambda: len(self.replicas()) >= count, f"{count} containers")

    def container(self, *command, name, version=1):
        """Starts one; `await_replicas` waits for it."""
        return self._processes.start(
            *command, "--name", name, "--version", version, "--frontend", self.rpc,
        )  # fmt: skip

    def python(self, script, *arguments, **settings):
        return self.container(sys.executable, FOLDER / script, *arguments, **settings)

    def administer(self, operation, **body):
        """POST /admin/OPERATION; the answer as JSON, or as text where it is none."""
        return self._ask(self.admin, "POST", f"/admin/{operation}", json.dumps(body))

    def state(self, application, uid=None):
        """What the application, or one of its users, has learned."""
        user = {} if uid is None else {"uid": uid}
        return self.administer("get_state", app_name=application, format="json", **user)

    def metric(self, name, **labels):
        """The sum of a metric over all labels but those that are given."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        total = 0.0
        for line in self._ask(self.query, "GET", "/metrics", None, {"Accept": "text/plain"}).splitlines():
            if line.startswith((name + "{", name + " ")) and all(label in line for label in wanted):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def memory(self):
        """Resident memory in MiB: now, and at most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        sizes = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if line.startswith("Vm")}
        return int(sizes["VmRSS"]) / 1024, int(sizes["VmHWM"]) / 1024

    def cpu_seconds(self):
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _ask(self, address, method, path, body, headers=None):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=BOUND)
        connection.request(method, path, body, headers or {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.read().decode()
        connection.close()
        if response.status != 200:
            raise Failure(f"{method} {path}: {response.status} {said}")
        try:
            return json.loads(said)
        except ValueError:
            return said


@contextmanager
def processes():
    """Processes that end with the block; shows the ends of their logs if it fails."""
    with tempfile.TemporaryDirectory(prefix="selection-") as folder:
        started = Processes(folder)
        try:
            yield started
        except Exception:
            for log in sorted(started.folder.glob("*.log")):
                if text := log.read_text(errors="replace").strip():
                    print(f"== {log.name}\n{text[-1500:]}", file=sys.stderr)
            raise
        finally:
            started.end()
