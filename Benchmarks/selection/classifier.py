"""A container of a digit classifier: `python classifier.py --kind svm --name … --version … --frontend …`."""

import sys

import numpy as np
from model_container import InvalidInput, Model
from model_container.command import parser, run_program

from digits import KINDS, PIXELS, noisy, trained


def served(kind, transposes, noise):
    classifier = trained(kind, transposes)

    def answer(images):
        if not isinstance(images, np.ndarray) or images.shape[1] != PIXELS:
            raise InvalidInput(f"an image has {PIXELS} pixels")
        return classifier.predict(noisy(images, noise) if noise else images)

    return Model(answer, input_type="doubles")


if __name__ == "__main__":
    made = parser(__doc__)
    made.add_argument("--kind", choices=KINDS, required=True)
    made.add_argument("--transposed", action="store_true", help="train it with transposed images")
    made.add_argument("--noise", type=float, default=0.0, help="standard deviation of what is added to each pixel")
    chosen = made.parse_args(sys.argv[1:])
    run_program(made, chosen, lambda: served(chosen.kind, chosen.transposed, chosen.noise))
