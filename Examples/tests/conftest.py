import csv
from collections import namedtuple

import pytest
from serving import BIN, EXAMPLES, Frontend, Processes

HeldOut = namedtuple("HeldOut", ["images", "answers"])


def pytest_sessionstart(session):
    for program in ("clipper", "digits-container"):
        if not (BIN / program).exists():
            pytest.exit(f"{BIN / program} is not there: build it, or set CLIPPER_BIN to the folder of the binaries", 1)


@pytest.fixture
def processes(tmp_path, request):
    started = Processes(tmp_path)
    yield started
    started.end()
    # Shown with a test that failed, and with none else.
    print(started.logs())


@pytest.fixture
def frontend(processes):
    return Frontend(processes)


@pytest.fixture(scope="session")
def held_out():
    """The digits that were not trained on, and scikit-learn's answers when the network was trained."""
    with open(EXAMPLES / "digits" / "Model" / "Resources" / "held-out.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]
    images = [[float(pixel) for pixel in row[2:]] for row in rows]
    return HeldOut(images, [int(row[1]) for row in rows])
