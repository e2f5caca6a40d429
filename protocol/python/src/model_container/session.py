"""A container's side of its sessions, one after the other: events and a time go in, actions come out.

There is no I/O here, and no clock. Times are seconds of a monotonic clock. Each session has a socket of its own; what
belonged to an earlier one is told by its number.
"""

from __future__ import annotations

import enum
import secrets
from typing import Callable, List, Optional, Set, Union

from . import rpc3, rpc4
from .actions import Action, Answer, Close, End, Forget, Job, Learn, Message, Open, Run, Send, Timing
from .items import Items
from .rpc4 import FailureCode, GoodbyeCode
from .wire import WireError


class _State(enum.Enum):
    WAITING = "no socket; the next one is due"
    CONNECTING = "nobody has answered at the other end"
    OPEN = "messages can flow"
    LEAVING = "told to stop: answers what there is, and reads until the frontend has said goodbye"
    FINISHING = "told to stop: answers what was read, and takes no more batches"
    PARTING = "the frontend has said goodbye: answers what was read"
    ENDED = "over"


class Session:
    """What the container knows of its session."""

    def __init__(
        self,
        registration: rpc4.Register,
        now: float,
        rpc: Optional[int] = None,
        timing: Optional[Timing] = None,
        random: Callable[[], float] = lambda: 0.5,
    ) -> None:
        """
        :param rpc: the only version to be spoken; None for both.
        :param random: gives numbers between 0 and 1, which make the pauses of many containers differ.
        """
        self.registration = registration
        self.rpc = rpc
        self.timing = timing or Timing()
        self.number = 0
        """Of the current session, as its batches see it: a frontend that forgets them begins another."""
        self._random = random
        self._state = _State.WAITING
        self._due = now
        self._failures = 0
        self._jobs = 0
        self._unanswered: Set[int] = set()
        self._new_session(now)

    def _new_session(self, now: float) -> None:
        self.version: Optional[int] = None
        """The version that the frontend has spoken last in this session."""
        self._keep_own_times()
        self._heard = self._sent = now
        self._answered_since: Optional[float] = None
        self._drained = False
        self._patience = 0.0

    def _keep_own_times(self) -> None:
        """Those that hold unless a *welcome* states others."""
        self._interval = self.timing.heartbeat_interval
        self._limit = self.timing.silence_limit

    # What the loop asks.

    @property
    def is_reading(self) -> bool:
        """Whether messages are to be read from the socket."""
        return self._state in (_State.CONNECTING, _State.OPEN, _State.LEAVING, _State.PARTING)

    @property
    def has_ended(self) -> bool:
        return self._state is _State.ENDED

    @property
    def deadline(self) -> Optional[float]:
        """When ``tick`` has something to do."""
        if self._state is _State.WAITING:
            return self._due
        if self._state is _State.CONNECTING:
            return self._heard + self._limit
        if self._state in (_State.OPEN, _State.PARTING):
            return min(self._next_beat, self._heard + self._limit)
        if self._state is _State.LEAVING:
            return min(self._next_beat, self._heard + self._limit, self._patience)
        if self._state is _State.FINISHING:
            return self._next_beat
        return None

    @property
    def _next_beat(self) -> float:
        # RPC 3 beats when nothing came, RPC 4 when nothing was sent.
        return (max(self._heard, self._sent) if self.version == rpc3.VERSION else self._sent) + self._interval

    # Events.

    def tick(self, now: float) -> List[Action]:
        """Time has passed."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        if self._state is _State.WAITING:
            self._new_session(now)
            self._state = _State.CONNECTING
            return [Open(self._routing_id())]
        if now - deadline > self.timing.oversleep:
            # The process stood still, or the model kept the interpreter to itself.
            self._heard = min(self._heard + (now - deadline), now)
        if self._state is not _State.FINISHING and now >= self._heard + self._limit:
            if self._state is _State.LEAVING:
                return self._end("the frontend is silent")
            if self._state is _State.CONNECTING:
                return self._close(f"nobody has answered for {self._limit:g} s", now, pause=0.0)
            return self._close(f"the frontend has been silent for {self._limit:g} s", now, pause=0.0)
        if self._state is _State.LEAVING and now >= self._patience:
            self._state = _State.FINISHING
            return self._end_if_done("stopped; the frontend didn't say goodbye")
        if now >= self._next_beat:
            return self._send(rpc3.Heartbeat(), now)
        return []

    def connected(self, now: float) -> List[Action]:
        """The socket's connection stands."""
        if self._state is not _State.CONNECTING:
            return []
        self._state = _State.OPEN
        self._heard = now
        return self._send(rpc3.Heartbeat(), now)

    def disconnected(self, now: float) -> List[Action]:
        """The socket's connection is gone."""
        if self._state in (_State.LEAVING, _State.FINISHING):
            return self._end("the connection to the frontend is gone")
        if self._state is _State.PARTING and self._drained:
            return self._end("drained by an operator")
        if self._state in (_State.CONNECTING, _State.OPEN, _State.PARTING):
            return self._close("the connection to the frontend is gone", now)
        return []

    def malformed(self, error: WireError, now: float) -> List[Action]:
        """A message has come that is none."""
        if not self.is_reading:
            return []
        if self._state is _State.LEAVING:
            return self._end(f"the frontend sent a malformed message: {error}")
        if error.kind == "unsupported-version":
            return self._close(f"the frontend speaks another RPC version: {error}", now, self.timing.longest_pause)
        return self._close(f"the frontend sent a malformed message: {error}", now)

    def received(self, message: object, now: float) -> List[Action]:
        """A message has come: one of RPC 3 or of RPC 4."""
        if not self.is_reading:
            return []
        if self._answered_since is None:
            self._answered_since = now
        if self._state is _State.CONNECTING:
            # It has overtaken the news of its connection.
            return self.connected(now) + self.received(message, now)
        self._heard = now
        if isinstance(message, (rpc3.KeepAlive, rpc3.RequestMetadata, rpc3.Predict, rpc3.Feedback)):
            if self.rpc == rpc4.VERSION:
                reason = "the frontend speaks RPC 3, and this container was told to speak nothing but RPC 4"
                return self._close(reason, now, self.timing.longest_pause)
            self.version = rpc3.VERSION
            self._keep_own_times()  # What a welcome stated ended with RPC 4.
        else:
            self.version = rpc4.VERSION
        if isinstance(message, rpc3.RequestMetadata):
            return self._register(rpc3_registration(self.registration), now)
        if isinstance(message, rpc4.Welcome):
            self._interval = message.heartbeat_interval / 1000
            self._limit = message.silence_limit / 1000
            return self._register(self.registration, now)
        if isinstance(message, rpc4.Refused):
            return self._refused(message, now)
        if isinstance(message, rpc4.Goodbye):
            return self._goodbye(message, now)
        if isinstance(message, (rpc3.Predict, rpc4.Predict)):
            return self._predict(message, now)
        if isinstance(message, rpc4.Feedback) and self.registration.wants_feedback:
            return [Learn(message)]
        return []

    def finished(self, job: Job, answer: Answer, now: float) -> List[Action]:
        """The model has done with a batch. Without an answer it has failed in a way that its version cannot say."""
        if job.session != self.number or job.key not in self._unanswered:
            return []
        self._unanswered.remove(job.key)
        if answer is None:
            if self._state in (_State.LEAVING, _State.FINISHING):
                return self._end_if_done("stopped")
            # The first failure costs no pause; a model that goes on failing does.
            pause = 0.0 if self._failures == 0 else None
            reason = "a batch failed, and RPC 3 can say it in no other way"
            return self._close(reason, now, pause, counts=True)
        self._failures = 0
        actions = self._send(answer, now)
        if self._state is _State.FINISHING:
            actions += self._end_if_done("stopped")
        if self._state is _State.PARTING:
            actions += self._part_if_done(now)
        return actions

    def stop(self, now: float, reason: str) -> List[Action]:
        """The container is to end. What there is to answer is answered first; a second time ends it at once."""
        if self._state is _State.ENDED:
            return []
        if self._state is _State.PARTING:
            self._state = _State.FINISHING
            return self._end_if_done("stopped")
        if self._state is _State.OPEN and self.version == rpc4.VERSION:
            self._state = _State.LEAVING
            self._patience = now + self.timing.goodbye_patience
            return self._send(rpc4.Goodbye(GoodbyeCode.STOPPING, reason), now)
        if self._state is _State.OPEN and self._unanswered:
            # RPC 3 has no goodbye: what was read is answered, and nothing more is read.
            self._state = _State.FINISHING
            return []
        at_once = self._state in (_State.LEAVING, _State.FINISHING)
        return self._end("stopped at once" if at_once else "stopped", 0.0 if at_once else self.timing.linger)

    # Consequences.

    def _register(self, registration: Union[rpc3.NewContainer, rpc4.Register], now: float) -> List[Action]:
        """The frontend knows nothing of this session, nor of its batches: it may use their ids for others."""
        if self._state is _State.LEAVING:
            return self._end("stopped")
        if self._state is _State.PARTING:
            self._unanswered.clear()
            return self._part_if_done(now)
        actions: List[Action] = []
        if self._unanswered:
            self._unanswered.clear()
            self.number += 1
            actions.append(Forget())
        return actions + self._send(registration, now)

    def _refused(self, message: rpc4.Refused, now: float) -> List[Action]:
        if self._state is _State.LEAVING:
            return self._end("stopped")
        pause = self.timing.longest_pause
        if message.retry_after is not None:
            pause = max(self.timing.first_pause, message.retry_after / 1000)  # A frontend may say 0.
        reason = ascii(message.reason) if message.reason else _name_of(rpc4.RefusalCode, message.code)
        return self._close(f"the frontend refused the registration: {reason}; again in {pause:g} s", now, pause)

    def _goodbye(self, message: rpc4.Goodbye, now: float) -> List[Action]:
        self._drained = message.code == GoodbyeCode.DRAINED
        if self._state is _State.LEAVING:
            self._state = _State.FINISHING
            return self._end_if_done("stopped")
        self._state = _State.PARTING
        return self._part_if_done(now)

    def _predict(self, message: Union[rpc3.Predict, rpc4.Predict], now: float) -> List[Action]:
        self._jobs += 1
        if isinstance(message, rpc3.Predict):
            if message.data_type != self.registration.input_type:
                return self._close(self._wrong_type(message.data_type.input_name), now)
            items = Items.of(message.data_type, message.inputs)
            job = Job(self._jobs, self.number, rpc3.VERSION, message.id, items, now)
        else:
            items = message.items
            if items.data_type != self.registration.input_type:
                reason = self._wrong_type(items.data_type.name.lower())
                return self._send(rpc4.Failure(message.id, FailureCode.INVALID_INPUT, reason), now)
            largest = self.registration.largest_batch
            if largest is not None and len(items) > largest:
                reason = f"{len(items)} inputs, and this container takes {largest} at most"
                return self._send(rpc4.Failure(message.id, FailureCode.TOO_LARGE, reason), now)
            deadline = None if message.budget is None else now + message.budget / 1e6
            trace = message.traceparent, message.tracestate
            job = Job(self._jobs, self.number, rpc4.VERSION, message.id, items, now, deadline, *trace)
        self._unanswered.add(job.key)
        return [Run(job)]

    def _wrong_type(self, found: str) -> str:
        return f"a batch of {found}, and this container takes {self.registration.input_type.input_name}"

    def _send(self, message: Message, now: float) -> List[Action]:
        self._sent = now
        return [Send(message)]

    def _part_if_done(self, now: float) -> List[Action]:
        if self._unanswered:
            return []
        if self._drained:
            return self._end("drained by an operator", self.timing.linger)
        return self._close("the frontend said goodbye", now, linger=self.timing.linger, is_fault=False)

    def _end_if_done(self, reason: str) -> List[Action]:
        return [] if self._unanswered else self._end(reason, self.timing.linger)

    def _end(self, reason: str, linger: float = 0.0) -> List[Action]:
        self._state = _State.ENDED
        self._unanswered.clear()
        self.number += 1
        return [End(reason, linger)]

    def _close(
        self,
        reason: str,
        now: float,
        pause: Optional[float] = None,
        counts: bool = False,
        linger: float = 0.0,
        is_fault: bool = True,
    ) -> List[Action]:
        """Without a stated pause it doubles with each session that ended without an answered batch in between.

        A session that the frontend has answered for as long as the longest pause was well: it begins anew.
        """
        if self._answered_since is not None and now - self._answered_since >= self.timing.longest_pause:
            self._failures = 0
        if pause is None:
            pause = min(self.timing.first_pause * 2 ** min(self._failures, 16), self.timing.longest_pause)
            pause *= 0.8 + 0.4 * self._random()
            counts = True
        if counts:
            self._failures += 1
        self._unanswered.clear()
        self.number += 1
        self._state = _State.WAITING
        self._due = now + pause
        return [Close(reason, linger, is_fault)]

    def _routing_id(self) -> Optional[bytes]:
        if self.rpc == rpc3.VERSION:
            return None
        return rpc4.ROUTING_ID_PREFIX + secrets.token_hex(16).encode("ascii")


def rpc3_registration(registration: rpc4.Register) -> rpc3.NewContainer:
    """What RPC 3 can say of a registration."""
    return rpc3.NewContainer(registration.model_name, registration.model_version, registration.input_type)


def _name_of(codes: "type[enum.IntEnum]", code: int) -> str:
    try:
        return codes(code).name.lower().replace("_", "-")
    except ValueError:
        return f"code {code}"
