"""Serves the digits network by scikit-learn, with the weights that the Swift container has."""

import json
from pathlib import Path

import numpy as np
from model_container import InvalidInput, model
from sklearn.neural_network import MLPClassifier

WEIGHTS = Path(__file__).resolve().parents[1] / "digits" / "Model" / "Resources" / "weights.json"
PIXELS = 64


def trained() -> MLPClassifier:
    """The classifier as ``Examples/digits/train.py`` left it."""
    layers = json.loads(WEIGHTS.read_text())["layers"]
    digits = np.arange(10)
    network = MLPClassifier(hidden_layer_sizes=[len(layer["biases"]) for layer in layers[:-1]])
    # One step makes it a fitted classifier of ten classes; then its weights are replaced.
    network.partial_fit(np.zeros((10, PIXELS)), digits, classes=digits)
    network.coefs_ = [np.array(layer["weights"]) for layer in layers]
    network.intercepts_ = [np.array(layer["biases"]) for layer in layers]
    return network


network = trained()


@model(name="digits", version="scikit-learn", input_type="doubles")
def digits(images):
    """Reads handwritten digits: 64 pixels from 0 to 16 in, one digit out."""
    if not isinstance(images, np.ndarray) or images.shape[1] != PIXELS:
        raise InvalidInput(f"an image has {PIXELS} pixels")
    return network.predict(images)


if __name__ == "__main__":
    digits.main()
