"""A frontend played by a test: a ROUTER that sends what it is told, and tells what has come."""

import time

import numpy as np
import zmq

from model_container import rpc3, rpc4
from model_container.items import NUMPY_TYPES, Items
from model_container.wire import DataType

BOUND = 120.0
"""Seconds after which a test that still waits has failed."""

WELCOME = rpc4.Welcome(heartbeat_interval=5000, silence_limit=30000)


class Frontend:
    def __init__(self, port=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.router_mandatory = True
        if port is None:
            port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        else:
            self.socket.bind(f"tcp://127.0.0.1:{port}")
        self.port = port
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self.container = None
        """The routing id of who has sent last."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.socket.close(0)
        self.context.term()

    def has_input(self, seconds=BOUND):
        return bool(self.socket.poll(seconds * 1000))

    def receive(self, bound=BOUND):
        """The next message, decoded."""
        assert self.has_input(bound), f"nothing came within {bound} s"
        self.container, *frames = self.socket.recv_multipart()
        return rpc4.decode_from_container(frames)

    def expect(self, kind, bound=BOUND):
        """The next message that is no heartbeat, unless one is wanted: it is to be of this kind, or one of these."""
        deadline = time.monotonic() + bound
        while True:
            message = self.receive(max(0.0, deadline - time.monotonic()))
            if isinstance(message, kind):
                return message
            assert isinstance(message, rpc3.Heartbeat), f"expected {kind}, found {message}"

    def send(self, message):
        self.send_frames(message.frames())

    def send_frames(self, frames):
        self.socket.send_multipart([self.container, *frames])

    def register(self, welcome=WELCOME):
        """Opens a session of RPC 4."""
        self.expect(rpc3.Heartbeat)
        self.send(welcome)
        registration = self.expect(rpc4.Register)
        self.send(rpc4.Accepted(0))
        return registration

    def register_in_rpc3(self):
        """Opens a session of RPC 3, as a frontend does that knows nothing else."""
        self.expect(rpc3.Heartbeat)
        self.send(rpc3.RequestMetadata())
        return self.expect(rpc3.NewContainer)

    def predict(self, batch, rows, **fields):
        self.send(rpc4.Predict(batch, doubles(rows), **fields))


def sums(rows):
    """A model."""
    return [float(row.sum()) for row in rows]


def doubles(rows):
    return items(DataType.FLOAT64, rows)


def items(data_type, values, vectors=False):
    """Items made of values: lists of numbers, numbers, strings or bytes."""
    return Items.of(data_type, [_encoded(data_type, value) for value in values], vectors)


def _encoded(data_type, value):
    if data_type is DataType.STRING:
        return value.encode("utf-8")
    if data_type is DataType.BYTES:
        return value
    return np.array(value, dtype=NUMPY_TYPES[data_type]).tobytes()


def values(results):
    """The values of results, None in the place of those that failed."""
    failed = {error.index for error in results.errors}
    made = []
    for index in range(len(results.items)):
        part = bytes(results.items[index])
        if index in failed:
            made.append(None)
        elif results.items.data_type is DataType.STRING:
            made.append(part.decode("utf-8"))
        elif results.items.data_type is DataType.BYTES:
            made.append(part)
        else:
            numbers = np.frombuffer(part, dtype=NUMPY_TYPES[results.items.data_type]).tolist()
            made.append(numbers if results.items.vectors else numbers[0])
    return made
