"""Runs a model on batches, away from the socket's thread."""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
import threading
import time
from collections import deque
from typing import Callable, Deque, Optional, Set, Union

from . import rpc3, rpc4
from .actions import Answer, Job
from .answers import answer, failure
from .batch_context import BatchContext
from .errors import BatchLate
from .inputs import inputs_of, labels_of
from .models import Model, lateness

logger = logging.getLogger("model_container")

JOIN_LIMIT = 5.0
"""Seconds. The tasks that an async function has left behind may take as long to end as they like."""

Report = Callable[[Job, Answer], None]
"""Told of every job that isn't void, from any thread."""


class Worker:
    """What workers of blocking and of async functions share. Jobs of any session but the current one are void."""

    def __init__(self, model: Model, report: Report) -> None:
        self.model = model
        self.session = 0
        self._failed: Optional[int] = None
        self._report = report
        self._thread = threading.Thread(target=self._main, name="model", daemon=True)

    @staticmethod
    def of(model: Model, report: Report, batches_in_flight: Optional[int]) -> "Worker":
        """The worker that this model needs, started."""
        worker: Worker
        if model.is_async:
            worker = AsyncWorker(model, report, batches_in_flight or 1)
        else:
            worker = BlockingWorker(model, report)
        worker._thread.start()
        return worker

    def submit(self, job: Union[Job, rpc4.Feedback]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Ends the thread after the job that it is at."""
        raise NotImplementedError

    def join(self) -> None:
        """Waits for the end of the thread, which is at no batch any more."""
        self._thread.join(JOIN_LIMIT)

    def _main(self) -> None:
        raise NotImplementedError

    def _begin(self, job: Job) -> Optional[BatchContext]:
        """The context of a job that is to be run; None for one that is void or late."""
        if job.session != self.session or job.session == self._failed:
            return None
        batch = BatchContext(job.id, job.version, job.deadline, job.traceparent, job.tracestate)
        late = lateness(batch)
        if late is not None:
            self._refuse(job, late)
            return None
        return batch

    def _refuse(self, job: Job, late: BatchLate) -> None:
        logger.info("batch %d of %d inputs was not computed: %s", job.id, len(job.items), late)
        self._report(job, failure(job, late))

    def _finish(self, job: Job, made: Answer) -> None:
        if made is None:
            # The session will end with it: what was read after it is not begun any more.
            self._failed = job.session
        self._report(job, made)

    def _log_feedback(self, error: BaseException) -> None:
        logger.error("the model's feedback function failed", exc_info=error)


class BlockingWorker(Worker):
    """Runs jobs one after the other."""

    def __init__(self, model: Model, report: Report) -> None:
        super().__init__(model, report)
        self._queue: "queue.SimpleQueue[Union[Job, rpc4.Feedback, None]]" = queue.SimpleQueue()

    def submit(self, job: Union[Job, rpc4.Feedback]) -> None:
        self._queue.put(job)

    def close(self) -> None:
        self.session = -1
        self._queue.put(None)

    def _main(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            if isinstance(job, rpc4.Feedback):
                self._learn(job)
                continue
            batch = self._begin(job)
            if batch is None:
                continue
            begun = time.monotonic()
            made: Answer
            try:
                outputs = self.model.run(job.items, batch, isolates=job.version != rpc3.VERSION)
                made = answer(job, outputs, _microseconds_since(begun))
            except BaseException as error:
                made = answer(job, error)
            self._finish(job, made)

    def _learn(self, feedback: rpc4.Feedback) -> None:
        try:
            if self.model.feedback is not None:
                self.model.feedback(inputs_of(feedback.items), labels_of(feedback.labels))
        except BaseException as error:
            self._log_feedback(error)


class AsyncWorker(Worker):
    """Runs jobs on an event loop, so many of them at a time."""

    def __init__(self, model: Model, report: Report, most: int) -> None:
        super().__init__(model, report)
        self._loop = asyncio.new_event_loop()
        self._most = most
        self._waiting: Deque[Job] = deque()
        self._running: Set["asyncio.Task[None]"] = set()
        self._learning: Set["asyncio.Task[None]"] = set()

    def submit(self, job: Union[Job, rpc4.Feedback]) -> None:
        self._loop.call_soon_threadsafe(self._accept, job)

    def close(self) -> None:
        self.session = -1
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def _accept(self, job: Union[Job, rpc4.Feedback]) -> None:
        if isinstance(job, rpc4.Feedback):
            # The loop itself remembers tasks only weakly.
            task = self._loop.create_task(self._learn(job))
            self._learning.add(task)
            task.add_done_callback(self._learning.discard)
            return
        self._waiting.append(job)
        self._start()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._most:
            task = self._loop.create_task(self._run(self._waiting.popleft()))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._start()

    async def _run(self, job: Job) -> None:
        batch = self._begin(job)
        if batch is None:
            return
        begun = time.monotonic()
        made: Answer
        try:
            outputs = await self.model.run_async(job.items, batch, isolates=job.version != rpc3.VERSION)
            made = answer(job, outputs, _microseconds_since(begun))
        except BaseException as error:
            made = answer(job, error)
        self._finish(job, made)

    async def _learn(self, feedback: rpc4.Feedback) -> None:
        try:
            if self.model.feedback is not None:
                result = self.model.feedback(inputs_of(feedback.items), labels_of(feedback.labels))
                if inspect.isawaitable(result):
                    await result
        except asyncio.CancelledError:
            raise
        # SystemExit would end the loop, and the container with it.
        except BaseException as error:
            self._log_feedback(error)


def _microseconds_since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1e6)
