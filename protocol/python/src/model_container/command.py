"""Containers as main programs: their flags, and how they end."""

from __future__ import annotations

import argparse
import sys
from typing import Callable, NoReturn, Optional, Sequence, Tuple

from .closures import ClosureError
from .errors import ConfigurationError
from .models import Model
from .serving import LEVELS, run
from .settings import Options, settings

EXIT_USAGE = 64
"""The status for a wrong command line, or wrong settings."""


class Parser(argparse.ArgumentParser):
    """A parser of command lines that ends as all of the project's programs do."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"error: {message}\n")


def parser(description: str, program: Optional[str] = None) -> Parser:
    """A parser with the flags that every container takes."""
    made = Parser(
        prog=program,
        description=description,
        epilog="Flags beat the environment variables, which beat what the model's code says.",
    )
    add = made.add_argument
    add("--name", help="the model's name (environment: CLIPPER_MODEL_NAME)")
    add("--version", help="the model's version (environment: CLIPPER_MODEL_VERSION)")
    add(
        "--input-type",
        help="bytes, integers, floats, doubles or strings (environment: CLIPPER_INPUT_TYPE; default: "
        "what the model's code says, or doubles)",
    )
    add("--host", help="the frontend's host (environment: CLIPPER_IP; default: 127.0.0.1)")
    add("--port", help="the frontend's RPC port (environment: CLIPPER_PORT; default: 7000)")
    add("--frontend", metavar="tcp://HOST:PORT", help="the frontend's RPC endpoint, instead of host and port")
    add("--largest-batch", type=_positive, metavar="INPUTS", help="the most inputs of one batch (RPC 4)")
    add(
        "--batches-in-flight",
        type=_positive,
        metavar="BATCHES",
        help="the most batches that the frontend sends before one is answered (RPC 4)",
    )
    add(
        "--beats-while-busy",
        action=argparse.BooleanOptionalAction,
        help="whether the frontend gives this container up when it is silent while the model works; not to be said of "
        "a model that keeps the interpreter for longer than 30 s (RPC 4; default: what the model's code says, or yes)",
    )
    add(
        "--metadata",
        type=pair,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what a person may want to see of this container (RPC 4); may be repeated",
    )
    add(
        "--rpc",
        type=int,
        choices=(3, 4),
        help="speak only this version of the protocol (default: 4, or 3 where the frontend knows nothing better)",
    )
    add("--log-level", choices=list(LEVELS), default="info", help="(default: info)")
    return made


def options(arguments: argparse.Namespace) -> Options:
    """What the command line says."""
    return Options(
        name=arguments.name,
        version=arguments.version,
        input_type=arguments.input_type,
        host=arguments.host,
        port=arguments.port,
        endpoint=arguments.frontend,
        largest_batch=arguments.largest_batch,
        batches_in_flight=arguments.batches_in_flight,
        beats_while_busy=arguments.beats_while_busy,
        metadata=dict(arguments.metadata),
        rpc=arguments.rpc,
    )


def run_program(made: Parser, arguments: argparse.Namespace, load: Callable[[], Model]) -> None:
    """Serves the model that ``load`` gives. Ends the process with 64 for wrong settings, with 1 for a model that cannot
    be loaded."""
    try:
        model = load()
        run(model, settings(model, flags=options(arguments)), arguments.log_level)
    except ConfigurationError as error:
        made.error(str(error))
    except ClosureError as error:
        made.exit(1, f"error: {error}\n")


def run_model(model: Model, arguments: Optional[Sequence[str]] = None) -> None:
    """Serves a model whose own program this is."""
    made = parser(model.__doc__ or "Serves a model to a query frontend.")
    run_program(made, made.parse_args(arguments), lambda: model)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) < 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {2**32 - 1}")
    return int(text)


def pair(text: str) -> Tuple[str, str]:
    """A flag's value of the form KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has not the form KEY=VALUE")
    return key, value
