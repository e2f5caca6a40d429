"""A function as a model: what it takes, what it is called, and how it is run on a batch."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from . import batch_context
from .batch_context import BatchContext
from .errors import BatchFailed, BatchLate, ConfigurationError
from .inputs import Inputs, inputs_of, items_of, part_of
from .isolation import Outcome, Runs, batch_runs, single_runs
from .items import Items
from .outputs import Outputs
from .processes import end_forked
from .wire import DataType, is_name

Function = Callable[..., Any]


class Model:
    """A function, with what a frontend is to know of it. Calling it calls the function."""

    def __init__(
        self,
        function: Function,
        *,
        name: Optional[str] = None,
        version: Union[str, int, None] = None,
        input_type: Optional[str] = None,
        per_input: bool = False,
        isolate_failures: bool = True,
        largest_batch: Optional[int] = None,
        batches_in_flight: Optional[int] = None,
        beats_while_busy: bool = True,
        metadata: Optional[Mapping[str, str]] = None,
        feedback: Optional[Callable[[Inputs, Inputs], object]] = None,
    ) -> None:
        """
        :param function: takes a batch of inputs and returns a list or an array with one output for each; or, with
            ``per_input``, takes one input and returns its output. It may be async.
        :param name: the model's name, unless flags or the environment say another.
        :param version: the model's version, likewise.
        :param input_type: ``bytes``, ``integers``, ``floats``, ``doubles`` or ``strings``. None leaves it to flags or
            the environment; without any of them it is ``doubles``.
        :param isolate_failures: when the function fails for a batch, run it again on parts, to find the guilty inputs.
        :param largest_batch: the most inputs of one batch (RPC 4).
        :param batches_in_flight: the most batches that a frontend sends before one is answered (RPC 4). An async
            function runs for as many at a time.
        :param beats_while_busy: tell the frontend to give this container up when it hears nothing of it (for 30 s, as a
            rule) while the function works. False for one that calls C code which keeps the interpreter for so long: the
            frontend then waits (RPC 4).
        :param metadata: whatever a person may want to see of this container (RPC 4).
        :param feedback: called with inputs and labels, when the right answers are known (RPC 4).
        :raises ConfigurationError: for settings that no frontend would take.
        """
        if not callable(function):
            raise ConfigurationError(f"the model is a {type(function).__name__}, and a function was expected")
        self.function = function
        self.name = name
        self.version = None if version is None else str(version)
        self.input_type = None if input_type is None else input_type_named(input_type)
        self.per_input = per_input
        self.isolate_failures = isolate_failures
        self.largest_batch = largest_batch
        self.batches_in_flight = batches_in_flight
        self.beats_while_busy = beats_while_busy
        self.metadata: Dict[str, str] = {str(key): str(value) for key, value in (metadata or {}).items()}
        self.feedback = feedback
        for what, value in (("name", self.name), ("version", self.version)):
            if value is not None:
                check_name(value, what)
        for what, number in (("largest_batch", largest_batch), ("batches_in_flight", batches_in_flight)):
            if number is not None:
                check_positive(number, what)
        if feedback is not None and not callable(feedback):
            raise ConfigurationError(f"feedback is a {type(feedback).__name__}, and a function was expected")
        if inspect.iscoroutinefunction(feedback) and not self.is_async:
            raise ConfigurationError("feedback is async, and the model's function is not: no event loop would run it")
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)

    @property
    def is_async(self) -> bool:
        return any(map(inspect.iscoroutinefunction, (self.function, type(self.function).__call__)))

    # Without a network.

    def predict(self, inputs: Sequence[Any]) -> List[Any]:
        """What a container would make of these inputs, without a network: the outputs, with errors in the places of
        those that failed.

        :param inputs: of the model's input type: strings, bytes, or lists (or arrays) of numbers.
        :raises InvalidInput: for inputs that are of another type.
        :raises Exception: what the function raised, if nothing could be saved.
        """
        items = items_of(inputs, DataType.FLOAT64 if self.input_type is None else self.input_type)
        try:
            if self.is_async:
                return list(asyncio.run(self.run_async(items, BatchContext(), True)))
            return list(self.run(items, BatchContext(), True))
        except BatchFailed as failed:
            raise failed.cause from None

    # As a container. The functions that do it live elsewhere, and import this module.

    def serve(
        self,
        *,
        host: Optional[str] = None,
        port: Optional[int] = None,
        endpoint: Optional[str] = None,
        rpc: Optional[int] = None,
        log_level: str = "info",
    ) -> None:
        """Serves this model until SIGTERM or SIGINT; ``model_container.serve`` says what the settings are."""
        from .serving import run
        from .settings import Options, settings

        run(self, settings(self, Options(host=host, port=port, endpoint=endpoint, rpc=rpc)), log_level)

    def main(self, arguments: Optional[Sequence[str]] = None) -> None:
        """Serves this model as a main program: with flags, and with status 64 for wrong ones. See ``--help``."""
        from .command import run_model

        run_model(self, arguments)

    # On a batch.

    def run(self, items: Items, batch: BatchContext, isolates: bool) -> Outputs:
        """The outputs for a batch, errors in the places of those that failed.

        :raises BatchFailed: if all failed, and in one way.
        """
        if not len(items):
            return []
        inputs = inputs_of(items)
        runs = self._runs(len(items), batch, isolates)
        process = os.getpid()
        token = batch_context.current.set(batch)
        try:
            span = next(runs)
            while True:
                outcome: Outcome
                try:
                    outcome = self._result(self.function(self._part(inputs, span)))
                except BaseException as error:  # SystemExit, too: a model's function doesn't end the container.
                    outcome = error
                if os.getpid() != process:
                    end_forked(outcome)
                span = runs.send(outcome)
        except StopIteration as end:
            outputs: Outputs = end.value
            return outputs
        finally:
            batch_context.current.reset(token)

    async def run_async(self, items: Items, batch: BatchContext, isolates: bool) -> Outputs:
        """As ``run``, for an async function. A function of one input runs for all of them at once."""
        if not len(items):
            return []
        inputs = inputs_of(items)
        batch_context.current.set(batch)
        if self.per_input:
            return await asyncio.gather(*(self._single(inputs[index]) for index in range(len(items))))
        runs = self._runs(len(items), batch, isolates)
        process = os.getpid()
        try:
            span = next(runs)
            while True:
                outcome: Outcome
                try:
                    outcome = await self.function(self._part(inputs, span))
                except asyncio.CancelledError as error:
                    # Of a task that the function waits for, or of this one: either way it is not tried again.
                    raise BatchFailed(error) from error
                except BaseException as error:
                    outcome = error
                if os.getpid() != process:
                    end_forked(outcome)
                span = runs.send(outcome)
        except StopIteration as end:
            outputs: Outputs = end.value
            return outputs

    async def _single(self, value: Any) -> Any:
        """The output for one input, or its error: also one that asyncio would take for the end of its event loop."""
        process = os.getpid()
        outcome: Any
        try:
            outcome = await self.function(value)
        except BaseException as error:
            outcome = error
        if os.getpid() != process:
            end_forked(outcome)
        return outcome

    def _runs(self, count: int, batch: BatchContext, isolates: bool) -> Runs:
        def late() -> Optional[BatchLate]:
            return lateness(batch)

        if self.per_input:
            return single_runs(count, late)
        return batch_runs(count, isolates and self.isolate_failures, lambda: late() is not None)

    def _part(self, inputs: Inputs, span: Tuple[int, int]) -> Any:
        if self.per_input:
            return inputs[span[0]]
        return inputs if span == (0, len(inputs)) else part_of(inputs, span[0], span[1])

    def _result(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            raise TypeError("the model returned an awaitable; declare its function with 'async def'")
        return [result] if self.per_input else result


def lateness(batch: BatchContext) -> Optional[BatchLate]:
    """The error of a batch whose budget is spent."""
    if batch.deadline is None:
        return None
    late = time.monotonic() - batch.deadline
    return BatchLate(f"{late * 1000:.1f} ms late") if late >= 0 else None


def input_type_named(name: str) -> DataType:
    data_type = DataType.named(name)
    if data_type is None:
        expected = "bytes, integers, floats, doubles or strings"
        raise ConfigurationError(f"the input type is {name!r}; expected {expected}")
    return data_type


def check_name(value: str, what: str) -> None:
    if not is_name(value):
        expected = "1 to 256 bytes without ',', ':' and control characters"
        raise ConfigurationError(f"the model's {what} is {value!r}; expected {expected}")


def check_positive(number: object, what: str) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**32:
        raise ConfigurationError(f"{what} is {number!r}; expected a number from 1 to {2**32 - 1}")
