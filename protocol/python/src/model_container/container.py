"""The thread that owns a container's socket: carries events to the session, and carries out its actions."""

from __future__ import annotations

import logging
import math
import random
import socket
import time
from collections import deque
from typing import Callable, Deque, List, Optional

import zmq
from zmq.utils.monitor import recv_monitor_message

from . import actions, rpc3, rpc4
from .actions import Action, Answer, Job
from .errors import ConfigurationError
from .models import Model
from .session import Session
from .settings import Settings
from .wire import Frames, WireError
from .worker import Worker

logger = logging.getLogger("model_container")

# A flood of messages must not keep answers and heartbeats waiting.
MESSAGES_A_TURN = 256

# Bytes of a frame from which on handing its memory to ZeroMQ costs less than copying it.
WORTH_SHARING = 65536

# Seconds. A frontend may state intervals of weeks, which are too long for a call.
LONGEST_WAIT = 60.0


class Container:
    """A model at work. ``run`` blocks; ``stop`` may be called from any thread, and from a signal handler."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.settings = settings
        self._model = model
        self._context = zmq.Context()
        self._connection: Optional[_Connection] = None
        self._session = Session(
            settings.registration, time.monotonic(), settings.rpc, settings.timing, random=random.random
        )
        self._worker: Optional[Worker] = None
        self._ended_in_good_order = False
        self._decode = rpc3.decode_from_frontend if settings.rpc == rpc3.VERSION else rpc4.decode_from_frontend
        self._inbox: Deque[Callable[[], List[Action]]] = deque()
        self._wakeup, self._waker = socket.socketpair()
        self._wakeup.setblocking(False)
        self._waker.setblocking(False)

    def stop(self, reason: str = "stopped") -> None:
        """Ends the container after the batches that it has in hand; a second time ends it at once."""
        self._post(lambda: self._session.stop(time.monotonic(), reason))

    def run(self) -> None:
        """Serves until stopped, or drained by an operator.

        :raises ConfigurationError: for an endpoint that cannot be one.
        """
        registration = self.settings.registration
        logger.info(
            "serving %s:%s, which takes %s; the frontend is %s",
            registration.model_name,
            registration.model_version,
            registration.input_type.input_name,
            self.settings.endpoint,
        )
        self._worker = Worker.of(self._model, self._finished, registration.batches_in_flight)
        try:
            while not self._session.has_ended:
                self._turn()
        finally:
            self._worker.close()
            if self._ended_in_good_order:
                self._worker.join()
            if self._connection is not None:
                self._connection.close(0)
            # The process may end right after this, and must not take the last answers with it.
            self._context.term()
            self._wakeup.close()
            self._waker.close()

    def _post(self, event: Callable[[], List[Action]]) -> None:
        self._inbox.append(event)
        try:
            self._waker.send(b"!")
        except OSError:
            pass  # It is awake already, or has ended.

    def _finished(self, job: Job, made: Answer) -> None:
        self._post(lambda: self._session.finished(job, made, time.monotonic()))

    def _turn(self) -> None:
        """Waits for something to happen, and does what follows from it."""
        self._wait()
        while self._inbox:
            self._perform(self._inbox.popleft()())
        connection = self._connection
        if connection is not None:
            # What came before the connection's end is read before that end is told: it may be a goodbye.
            changes = connection.changes()
            self._receive(connection)
            for change in changes:
                if connection is self._connection:
                    tell = self._session.connected if change == _READY else self._session.disconnected
                    self._perform(tell(time.monotonic()))
        self._perform(self._session.tick(time.monotonic()))

    def _wait(self) -> None:
        deadline = self._session.deadline
        left = LONGEST_WAIT if deadline is None else min(max(0.0, deadline - time.monotonic()), LONGEST_WAIT)
        timeout = math.ceil(left * 1000)
        poller = zmq.Poller()
        poller.register(self._wakeup, zmq.POLLIN)
        if self._connection is not None:
            poller.register(self._connection.monitor, zmq.POLLIN)
            if self._session.is_reading:
                poller.register(self._connection.socket, zmq.POLLIN)
        if self._inbox:
            timeout = 0
        poller.poll(timeout)
        try:
            while self._wakeup.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _receive(self, connection: "_Connection") -> None:
        for _ in range(MESSAGES_A_TURN):
            if connection is not self._connection or not self._session.is_reading:
                return
            # The many small frames of RPC 3 have to be put together anyway: copying them is cheaper.
            frames = connection.receive(copies=self._session.version == rpc3.VERSION)
            if frames is None:
                return
            now = time.monotonic()
            try:
                message = self._decode(frames)
            except WireError as error:
                self._perform(self._session.malformed(error, now))
                continue
            logger.debug("received %s", message)
            if isinstance(message, rpc4.Accepted):
                logger.info("registered%s", "" if message.replica is None else f" as replica {message.replica}")
            self._perform(self._session.received(message, now))

    def _perform(self, todo: List[Action]) -> None:
        assert self._worker is not None
        for action in todo:
            if isinstance(action, actions.Send):
                logger.debug("sending %s", action.message)
                if isinstance(action.message, (rpc3.NewContainer, rpc4.Register)):
                    logger.info("registering in RPC %d", self._session.version or 0)
                if self._connection is not None:
                    self._connection.send(action.message.frames())
            elif isinstance(action, (actions.Run, actions.Learn)):
                self._worker.submit(action.job if isinstance(action, actions.Run) else action.feedback)
            elif isinstance(action, actions.Forget):
                self._worker.session = self._session.number
            elif isinstance(action, actions.Open):
                self._worker.session = self._session.number
                self._connection = _Connection(self._context, self.settings.endpoint, action.routing_id)
            else:
                self._worker.session = self._session.number
                self._ended_in_good_order = isinstance(action, actions.End) and action.linger > 0
                is_fault = isinstance(action, actions.Close) and action.is_fault
                logger.log(logging.WARNING if is_fault else logging.INFO, "session ended: %s", action.reason)
                if self._connection is not None:
                    self._connection.close(action.linger)
                    self._connection = None


_READY = zmq.EVENT_HANDSHAKE_SUCCEEDED


class _Connection:
    """One session's socket, with its monitor."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoint: str, routing_id: Optional[bytes]) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.linger = 0
        # Answers are not dropped: how many there can be is bounded by the batches in flight.
        self.socket.sndhwm = 0
        self.socket.rcvhwm = 0
        if "[" in endpoint:
            self.socket.ipv6 = True
        if routing_id is not None:
            self.socket.routing_id = routing_id
        self.monitor = self.socket.get_monitor_socket(_READY | zmq.EVENT_DISCONNECTED)
        try:
            self.socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close(0)
            raise ConfigurationError(f"the frontend's endpoint is {endpoint!r}, which is none: {error}") from None

    def changes(self) -> List[int]:
        """What has become of the connection since the last call."""
        found: List[int] = []
        while self.monitor.poll(0):
            found.append(int(recv_monitor_message(self.monitor)["event"]))
        return found

    def receive(self, copies: bool) -> Optional[Frames]:
        """A message, copied or as it lies in ZeroMQ's memory; None if there is none."""
        try:
            if copies:
                return self.socket.recv_multipart(zmq.NOBLOCK)
            return [frame.buffer for frame in self.socket.recv_multipart(zmq.NOBLOCK, copy=False)]
        except zmq.Again:
            return None

    def send(self, frames: Frames) -> None:
        try:
            copies = max(map(len, frames)) < WORTH_SHARING
            self.socket.send_multipart(list(frames), zmq.NOBLOCK, copy=copies)
        except zmq.Again:
            logger.debug("nothing can be sent to the frontend now")

    def close(self, linger: float) -> None:
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(int(linger * 1000))
