"""Writes the digits network as an ONNX model.

Needs onnx. Usage: python3 export.py FILE
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = Path(__file__).resolve().parents[1] / "digits" / "Model" / "Resources" / "weights.json"
# Versions that ONNX Runtime has long known, rather than the newest that the onnx package can write.
OPSET = 13
IR_VERSION = 8


def network(weights: Path) -> onnx.ModelProto:
    """``pixels`` (n × 64, float64) in, ``digit`` (n, int64) out. All in float64, as the Swift container computes."""
    layers = json.loads(weights.read_text())["layers"]
    nodes, constants, value = [], [], "pixels"
    for index, layer in enumerate(layers):
        names = [f"weights{index}", f"biases{index}"]
        for name, key in zip(names, ("weights", "biases")):
            constants.append(numpy_helper.from_array(np.array(layer[key], dtype=np.float64), name))
        nodes.append(helper.make_node("Gemm", [value, *names], [f"sums{index}"]))
        value = f"sums{index}"
        if index < len(layers) - 1:
            nodes.append(helper.make_node("Relu", [value], [f"layer{index}"]))
            value = f"layer{index}"
    nodes.append(helper.make_node("ArgMax", [value], ["digit"], axis=1, keepdims=0))
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.DOUBLE, ["n", len(layers[0]["weights"])])],
        [helper.make_tensor_value_info("digit", TensorProto.INT64, ["n"])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python3 export.py FILE")
    onnx.save(network(WEIGHTS), sys.argv[1])
