"""The golden vectors of both versions, in both directions: all of them, from all files."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from model_container import rpc3, rpc4
from model_container.items import NUMPY_TYPES, Items
from model_container.wire import DataType, WireError

VECTORS = Path(__file__).resolve().parents[2] / "vectors"

DECODERS = {
    ("rpc-3", "frontend-to-container"): rpc3.decode_from_frontend,
    ("rpc-3", "container-to-frontend"): rpc3.decode_from_container,
    ("rpc-4", "frontend-to-container"): rpc4.decode_from_frontend,
    ("rpc-4", "container-to-frontend"): rpc4.decode_from_container,
}


def load():
    files = sorted(VECTORS.glob("rpc-*/*.json"))
    for path in files:
        content = json.loads(path.read_text("ascii"))
        for vector in content["vectors"]:
            key = content["protocol"], content["direction"]
            yield pytest.param(key, vector, id=f"{path.parent.name}/{path.stem}: {vector['name']}")


def data_type(name):
    return DataType[name.upper()]


def item_bytes(kind, value):
    if value is None:
        return b""
    if kind is DataType.BYTES:
        return bytes.fromhex(value)
    if kind is DataType.STRING:
        return value.encode("utf-8")
    return np.array(value, dtype=NUMPY_TYPES[kind]).tobytes()


def item_list(fields, key, kind):
    if f"{key}_hex" in fields:
        return [bytes.fromhex(value) for value in fields.pop(f"{key}_hex")]
    return [item_bytes(kind, value) for value in fields.pop(key)]


def rpc3_message(fields, direction):
    kind = fields.pop("type")
    if kind == "heartbeat" and direction == "container-to-frontend":
        return rpc3.Heartbeat()
    if kind == "heartbeat":
        return {"keep-alive": rpc3.KeepAlive, "request-metadata": rpc3.RequestMetadata}[fields.pop("kind")]()
    if kind == "new-container":
        return rpc3.NewContainer(
            fields.pop("model_name"), fields.pop("model_version"), data_type(fields.pop("data_type"))
        )
    if kind == "predict-response":
        return rpc3.Response(fields.pop("id"), tuple(text.encode("utf-8") for text in fields.pop("outputs")))
    made = {"predict-request": rpc3.Predict, "feedback-request": rpc3.Feedback}[kind]
    inputs = data_type(fields.pop("data_type"))
    return made(fields.pop("id"), inputs, tuple(item_list(fields, "inputs", inputs)))


MESSAGES = {
    "welcome": rpc4.Welcome,
    "accepted": rpc4.Accepted,
    "refused": rpc4.Refused,
    "heartbeat": rpc4.HeartbeatAnswer,
    "predict": rpc4.Predict,
    "feedback": rpc4.Feedback,
    "goodbye": rpc4.Goodbye,
    "register": rpc4.Register,
    "results": rpc4.Results,
    "failure": rpc4.Failure,
}


def rpc4_message(fields):
    kind = fields.pop("type")
    if kind == "notice":
        return rpc4.Notice(fields.pop("number"))
    values = {}
    vectors = fields.pop("vectors", False)
    if "item_type" in fields:
        items = data_type(fields.pop("item_type"))
        values["items"] = Items.of(items, item_list(fields, "items", items), vectors and kind == "results")
    if "label_type" in fields:
        labels = data_type(fields.pop("label_type"))
        values["labels"] = Items.of(labels, item_list(fields, "labels", labels), vectors)
    if "errors" in fields:
        errors = fields.pop("errors")
        values["errors"] = tuple(rpc4.ItemError(error["index"], error["code"], error["text"]) for error in errors)
    if "input_type" in fields:
        values["input_type"] = data_type(fields.pop("input_type"))
    if "metadata" in fields:
        values["metadata"] = tuple((key, value) for key, value in fields.pop("metadata"))
    for key in ("budget", "compute_time"):
        if key in fields:
            values[key] = int(fields.pop(key))
    values.update(fields)
    fields.clear()
    return MESSAGES[kind](**values)


def message_of(key, vector):
    """The message that a vector describes. Every key of it has to be understood."""
    fields = dict(vector["message"])
    message = rpc3_message(fields, key[1]) if key[0] == "rpc-3" else rpc4_message(fields)
    assert fields == {}
    return message


def bytes_of(frames):
    return [bytes(frame) for frame in frames]


@pytest.mark.parametrize("key, vector", list(load()))
def test_vector(key, vector):
    assert set(vector) <= {"name", "frames", "message", "error", "canonical"}
    decode = DECODERS[key]
    frames = [bytes.fromhex(frame) for frame in vector["frames"]]
    # As they come from a socket, too: memory that belongs to somebody else, at an odd address.
    shifted = [memoryview(b"x" + frame)[1:] for frame in frames]
    if "error" in vector:
        for received in (frames, shifted):
            with pytest.raises(WireError) as caught:
                decode(received)
            assert (caught.value.kind, caught.value.frame) == (vector["error"]["kind"], vector["error"]["frame"])
            assert caught.value.expected and caught.value.found
        return
    expected = message_of(key, vector)
    assert decode(frames) == expected
    assert decode(shifted) == expected
    if isinstance(expected, rpc4.Notice):
        return
    encoded = bytes_of(expected.frames())
    if vector.get("canonical", True):
        assert encoded == frames
    else:
        assert encoded != frames
        assert decode(encoded) == expected


def test_there_are_vectors_of_every_version_and_direction():
    assert {parameter.values[0] for parameter in load()} == set(DECODERS)


def mutated(frames, random):
    """The frames with a few of the faults that a wire, or a wrong program, may bring about."""
    frames = list(frames)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(frames) + 1)
        frame = bytearray(frames[at % len(frames)]) if frames else bytearray()
        fault = random.randrange(5)
        if fault == 0 and frame:
            frame[random.randrange(len(frame))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
            frames[at % len(frames)] = bytes(frame)
        elif fault == 1 and frame:
            frames[at % len(frames)] = bytes(frame[: random.randrange(len(frame))])
        elif fault == 2 and frames:
            frames[at % len(frames)] = bytes(frame) + bytes(random.randrange(256) for _ in range(random.randint(1, 9)))
        elif fault == 3:
            frames.insert(at, bytes(frame))
        elif frames:
            del frames[at % len(frames)]
    return frames


def test_decoders_are_total():
    random = Random(4)
    vectors = [[bytes.fromhex(frame) for frame in parameter.values[1]["frames"]] for parameter in load()]
    for _ in range(20_000):
        frames = mutated(random.choice(vectors), random)
        for decode in DECODERS.values():
            try:
                message = decode(frames)
            except WireError:
                continue
            if not isinstance(message, rpc4.Notice):
                assert decode(message.frames()) == message
