"""Containers of small trees that take their time: `python slow_trees.py --count 8 --frontend tcp://…`.

One process and one thread serve several, as the models `tree-0`, `tree-1` and so on: each has a connection and a
session of its own, so to the frontend they are as many containers. What a tree says of each held-out digit is
computed before. A batch then takes a time in which nothing is computed, so that all can be slow at once, also on few
cores. It has a heavy tail: so much at least, and a draw from Pareto's distribution (of the second kind, by Lomax) on
top of that.

It is made of the parts of the SDK that do no I/O. `model_container.serve` takes two threads for each model, and for
many of them the changes between threads would take more time than is slept.
"""

import argparse
import heapq
import math
import random
import time

import zmq
from model_container import Model, rpc4
from model_container.actions import Close, Open, Run, Send
from model_container.answers import answer
from model_container.inputs import inputs_of
from model_container.session import Session
from model_container.settings import Options, settings

from digits import parts, small_tree
from serving import Failure


class Tree:
    """A container: its session, its socket, and what its model answers."""

    def __init__(self, number, images, chosen):
        self.socket = None
        self._answers = dict(zip((image.tobytes() for image in images), small_tree(number).predict(images).tolist()))
        self._random = random.Random(1000 * chosen.seed + number)
        self._chosen = chosen
        name = f"tree-{number}"
        model = Model(self._outputs, name=name, version=1, batches_in_flight=chosen.batches_in_flight)
        found = settings(model, Options(endpoint=chosen.frontend), environment={})
        self.session = Session(found.registration, time.monotonic())

    def latency(self):
        """Of the next batch, in seconds."""
        extra = self._chosen.scale * (self._random.paretovariate(self._chosen.shape) - 1)
        return min(self._chosen.least + extra, self._chosen.most) / 1000

    def answered(self, job, begun, now):
        """What is to be sent for a batch."""
        made = answer(job, self._outputs(inputs_of(job.items)), int(1e6 * (now - begun)))
        return self.session.finished(job, made, now)

    def _outputs(self, images):
        return [self._answers[image.tobytes()] for image in images]


class Host:
    """Carries events to all sessions, and carries out what they want."""

    def __init__(self, trees, endpoint):
        self._trees = trees
        self._endpoint = endpoint
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._by_socket = {}
        self._asleep = []
        """Batches by when they are done."""

    def run(self):
        next_tick = 0.0
        while True:
            now = time.monotonic()
            while self._asleep and self._asleep[0][0] <= now:
                _, _, tree, job, begun = heapq.heappop(self._asleep)
                self._perform(tree, tree.answered(job, begun, now))
            if now >= next_tick:
                # A heartbeat may be so much late.
                next_tick = now + 0.2
                for tree in self._trees:
                    self._perform(tree, tree.session.tick(now))
            due = min(next_tick, self._asleep[0][0]) if self._asleep else next_tick
            for socket, _ in self._poller.poll(max(0, math.ceil(1000 * (due - time.monotonic())))):
                tree = self._by_socket[socket]
                while socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                    message = rpc4.decode_from_frontend(socket.recv_multipart())
                    self._perform(tree, tree.session.received(message, time.monotonic()))

    def _perform(self, tree, actions):
        for action in actions:
            if isinstance(action, Send):
                tree.socket.send_multipart(list(action.message.frames()))
            elif isinstance(action, Run):
                now = time.monotonic()
                heapq.heappush(self._asleep, (now + tree.latency(), action.job.key, tree, action.job, now))
            elif isinstance(action, Open):
                tree.socket = self._context.socket(zmq.DEALER)
                tree.socket.linger = 0
                tree.socket.routing_id = action.routing_id
                tree.socket.connect(self._endpoint)
                self._by_socket[tree.socket] = tree
                self._poller.register(tree.socket, zmq.POLLIN)
                # What is sent before the connection stands waits for it.
                self._perform(tree, tree.session.connected(time.monotonic()))
            elif isinstance(action, Close):
                raise Failure(f"a session has ended: {action.reason}")


def main():
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--frontend", required=True)
    made.add_argument("--first", type=int, default=0, help="the first tree's number")
    made.add_argument("--count", type=int, default=8)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--least", type=float, default=2.0, help="milliseconds that each batch takes at least")
    made.add_argument("--scale", type=float, default=1.0, help="the scale of the tail, in milliseconds")
    made.add_argument("--shape", type=float, default=1.5, help="the tail's exponent: the smaller, the heavier")
    made.add_argument("--most", type=float, default=300.0, help="milliseconds that a batch takes at most")
    made.add_argument("--batches-in-flight", type=int, default=8)
    chosen = made.parse_args()
    _, images, _, _ = parts()
    numbers = range(chosen.first, chosen.first + chosen.count)
    Host([Tree(number, images, chosen) for number in numbers], chosen.frontend).run()


if __name__ == "__main__":
    main()
