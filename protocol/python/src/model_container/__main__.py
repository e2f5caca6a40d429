"""``python -m model_container closure.pkl``: serves a function that ``model_container.save`` has saved."""

from __future__ import annotations

import os
from typing import Optional, Sequence

from .closures import load
from .command import parser, run_program


def main(arguments: Optional[Sequence[str]] = None) -> None:
    made = parser(
        "Serves a function saved with model_container.save. It runs what the file says: serve none that you "
        "don't trust.",
        "python -m model_container",
    )
    made.add_argument("closure", nargs="?", help="the file (environment: CLIPPER_MODEL_PATH)")
    made.add_argument("--per-input", action="store_true", help="the function takes one input rather than a batch")
    chosen = made.parse_args(arguments)
    path = chosen.closure or os.environ.get("CLIPPER_MODEL_PATH")
    if not path:
        made.error("which model? State the file of a saved function, or set CLIPPER_MODEL_PATH")

    def loaded():  # type: ignore[no-untyped-def]
        model = load(path)
        model.per_input = model.per_input or chosen.per_input
        return model

    run_program(made, chosen, loaded)


if __name__ == "__main__":
    main()
