"""Serves an ONNX model of one 2-D input of float64 and one output by ONNX Runtime, such as export.py writes."""

import numpy as np
import onnxruntime
from model_container import InvalidInput, Model
from model_container.command import parser, run_program


def served(path: str) -> Model:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # More pay only for models far larger than this one; replicas are the way to grow.
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, width = session.get_inputs()[0].name, session.get_inputs()[0].shape[1]

    def answers(rows):
        if not isinstance(rows, np.ndarray) or rows.shape[1] != width:
            raise InvalidInput(f"the model takes {width} numbers")
        return session.run(None, {name: rows})[0]

    return Model(answers, name="digits", version="onnx", input_type="doubles", metadata={"framework": "onnxruntime"})


if __name__ == "__main__":
    made = parser(__doc__)
    made.add_argument("model", help="the ONNX file")
    chosen = made.parse_args()
    run_program(made, chosen, lambda: served(chosen.model))
