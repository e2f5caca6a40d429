"""The models that the tests of the Python SDK serve: `python models.py MODEL --name … --version …`."""

import sys
import time
from pathlib import Path

from model_container import Model
from model_container.command import parser, run_program

VALUES = {
    "float": 1.5,
    "whole float": 2.0,
    "int": 7,
    "large int": 2**53 + 1,
    "vector": [0.5, 2.0],
    "ints": [1, 2, 3],
    "string": "Grüße",
    "dict": {"digit": 3, "scores": [0.25, 0.75], "note": None},
    "bool": True,
    "bytes": b"\x00\xff",
    "nan": float("nan"),
}


def typed(names):
    return [VALUES[name] for name in names]


def sums(rows):
    if any(13.0 in row for row in rows):
        raise ValueError("13 is not taken here")
    return [float(sum(row)) for row in rows]


def patient(paths):
    """Answers when the file that a query names is there."""
    end = time.monotonic() + 100
    while not all(Path(path).exists() for path in paths) and time.monotonic() < end:
        time.sleep(0.02)  # between two looks
    return [path.upper() for path in paths]


MODELS = {
    "typed": Model(typed, input_type="strings"),
    "sums": Model(sums, input_type="doubles"),
    "patient": Model(patient, input_type="strings"),
}

if __name__ == "__main__":
    made = parser(__doc__)
    made.add_argument("model", choices=MODELS)
    chosen = made.parse_args(sys.argv[1:])
    run_program(made, chosen, lambda: MODELS[chosen.model])
