"""``serve``: from a function to a container that runs until it is told to stop."""

from __future__ import annotations

import logging
from typing import Callable, Mapping, Optional, Union

from .container import Container
from .errors import ConfigurationError
from .inputs import Inputs
from .models import Function, Model
from .processes import is_imported_again, signals_that_stop
from .settings import Settings

logger = logging.getLogger("model_container")

LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


def serve(
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
    host: Optional[str] = None,
    port: Optional[int] = None,
    endpoint: Optional[str] = None,
    rpc: Optional[int] = None,
    log_level: str = "info",
) -> None:
    """Serves a function as a model until SIGTERM, SIGINT, or until an operator drains it. Returns at once where
    multiprocessing imports the program again, for a process that the model starts.

    Up to ``feedback`` the arguments are those of ``Model``. The environment variables CLIPPER_MODEL_NAME,
    CLIPPER_MODEL_VERSION, CLIPPER_IP and CLIPPER_PORT beat what is stated here; CLIPPER_INPUT_TYPE may not contradict
    it.

    :param host: the frontend's; 127.0.0.1 by default.
    :param port: the frontend's RPC port; 7000 by default.
    :param endpoint: the frontend's, such as ``tcp://127.0.0.1:7000``, instead of host and port.
    :param rpc: the only version of the protocol to speak; None for 4, or 3 where the frontend knows nothing better.
    :param log_level: ``debug``, ``info``, ``warning``, ``error`` or ``critical``.
    :raises ConfigurationError: for settings that are missing, impossible or contradictory.
    """
    if isinstance(function, Model):
        raise ConfigurationError("this is a Model already, with settings of its own: call its serve()")
    model = Model(
        function,
        name=name,
        version=version,
        input_type=input_type,
        per_input=per_input,
        isolate_failures=isolate_failures,
        largest_batch=largest_batch,
        batches_in_flight=batches_in_flight,
        beats_while_busy=beats_while_busy,
        metadata=metadata,
        feedback=feedback,
    )
    model.serve(host=host, port=port, endpoint=endpoint, rpc=rpc, log_level=log_level)


def run(model: Model, chosen: Settings, log_level: str = "info") -> None:
    """Serves a model under these settings, until a signal stops it. Where multiprocessing imports the program again,
    for a process of the model's, nothing is served."""
    configure_logging(log_level)
    if is_imported_again():
        logger.debug("imported by multiprocessing: nothing is served here")
        return
    container = Container(model, chosen)
    with signals_that_stop(container.stop):
        container.run()


def configure_logging(level: str) -> None:
    """Logs on standard error, unless the program has its own ideas of logging."""
    if level not in LEVELS:
        raise ConfigurationError(f"the log level is {level!r}; expected one of {', '.join(LEVELS)}")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logger.setLevel(LEVELS[level])
