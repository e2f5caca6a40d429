"""Where a container connects, and what it registers as: from flags, else the environment, else code, else defaults."""

from __future__ import annotations

import os
import platform
import socket
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Union

from . import rpc3, rpc4
from .actions import Timing
from .errors import ConfigurationError
from .models import Model, check_name, check_positive, input_type_named
from .rpc4_fields import LONGEST_VALUE, encode_head
from .wire import DataType

SOFTWARE = "model-container-python"
SOFTWARE_VERSION = "0.1.0"


@dataclass(frozen=True)
class Options:
    """What flags state, or what code states; None leaves a setting to somebody else."""

    name: Optional[str] = None
    version: Optional[str] = None
    input_type: Optional[str] = None
    host: Optional[str] = None
    port: Union[int, str, None] = None
    endpoint: Optional[str] = None
    largest_batch: Optional[int] = None
    batches_in_flight: Optional[int] = None
    beats_while_busy: Optional[bool] = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    rpc: Optional[int] = None


@dataclass(frozen=True)
class Settings:
    """All that a container has to know."""

    registration: rpc4.Register
    endpoint: str
    rpc: Optional[int] = None
    timing: Timing = field(default_factory=Timing)


def settings(
    model: Model,
    code: Options = Options(),
    flags: Options = Options(),
    environment: Optional[Mapping[str, str]] = None,
    timing: Optional[Timing] = None,
) -> Settings:
    """Brings together what flags, environment and code say. Flags beat the environment, which beats the code.

    :raises ConfigurationError: for what is missing, impossible or contradictory.
    """
    variables = {key: value for key, value in (os.environ if environment is None else environment).items() if value}
    name = _first(flags.name, variables.get("CLIPPER_MODEL_NAME"), code.name, model.name)
    version = _first(flags.version, variables.get("CLIPPER_MODEL_VERSION"), code.version, model.version)
    if name is None:
        raise _missing("the model's name", "--name", "name=", "CLIPPER_MODEL_NAME")
    if version is None:
        raise _missing("the model's version", "--version", "version=", "CLIPPER_MODEL_VERSION")
    check_name(name, "name")
    check_name(version, "version")
    rpc = _first(flags.rpc, code.rpc)
    if rpc not in (None, rpc3.VERSION, rpc4.VERSION):
        raise ConfigurationError(f"the RPC version is {rpc!r}; expected 3 or 4, or none for both")
    largest_batch = _first(flags.largest_batch, code.largest_batch, model.largest_batch)
    batches_in_flight = _first(flags.batches_in_flight, code.batches_in_flight, model.batches_in_flight)
    for what, number in (("largest_batch", largest_batch), ("batches_in_flight", batches_in_flight)):
        if number is not None:
            check_positive(number, what)
    registration = rpc4.Register(
        name,
        version,
        _input_type(model, flags.input_type or variables.get("CLIPPER_INPUT_TYPE"), code.input_type),
        software=f"{SOFTWARE}/{SOFTWARE_VERSION}",
        largest_batch=largest_batch,
        batches_in_flight=batches_in_flight,
        metadata=tuple({**_metadata(), **model.metadata, **code.metadata, **flags.metadata}.items()),
        beats_while_busy=_first(flags.beats_while_busy, code.beats_while_busy, model.beats_while_busy),
        wants_feedback=model.feedback is not None,
    )
    _check_metadata(registration)
    return Settings(registration, _endpoint(flags, variables, code), rpc, timing or Timing())


def _first(*stated: Any) -> Any:
    """The first of these that somebody has stated."""
    return next((value for value in stated if value is not None), None)


def _missing(what: str, flag: str, argument: str, variable: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what} is missing: state it with {flag}, with {variable}, or with {argument} in the code"
    )


def _input_type(model: Model, stated: Optional[str], in_code: Optional[str]) -> DataType:
    """The type that the model takes. What its code says of it is so, and nothing else can be stated from outside."""
    known = model.input_type if in_code is None else input_type_named(in_code)
    if stated is None:
        return DataType.FLOAT64 if known is None else known
    data_type = input_type_named(stated)
    if known is not None and data_type != known:
        raise ConfigurationError(
            f"the input type is stated as {data_type.input_name}, but the model's code says that it takes "
            f"{known.input_name}: leave --input-type and CLIPPER_INPUT_TYPE out, or change one of them"
        )
    return data_type


def _endpoint(flags: Options, variables: Mapping[str, str], code: Options) -> str:
    host, port = variables.get("CLIPPER_IP"), variables.get("CLIPPER_PORT")
    if flags.endpoint is not None:
        if flags.host is not None or flags.port is not None:
            raise ConfigurationError("--frontend already says where the frontend is: leave --host and --port out")
        return _checked(flags.endpoint)
    if code.endpoint is not None:
        if code.host is not None or code.port is not None:
            raise ConfigurationError("endpoint= already says where the frontend is: leave host= and port= out")
        if host is None and port is None and flags.host is None and flags.port is None:
            return _checked(code.endpoint)
    found = str(_first(flags.port, port, code.port, "7000"))
    if not found.isascii() or not found.isdigit() or not 1 <= int(found) <= 65535:
        raise ConfigurationError(f"the frontend's port is {found!r}; expected a number from 1 to 65535")
    address = _first(flags.host, host, code.host) or "127.0.0.1"
    if ":" in address and not address.startswith("["):
        address = f"[{address}]"
    return f"tcp://{address}:{int(found)}"


def _checked(endpoint: str) -> str:
    if "://" not in endpoint:
        raise ConfigurationError(f"the frontend is {endpoint!r}; expected an endpoint such as tcp://127.0.0.1:7000")
    return endpoint


def _metadata() -> Dict[str, str]:
    """What a person may want to see of any container of this kind."""
    return {
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
        "sdk": f"{SOFTWARE} {SOFTWARE_VERSION}",
        "language": f"Python {platform.python_version()}",
    }


def _check_metadata(registration: rpc4.Register) -> None:
    pairs = registration.metadata or ()
    try:
        longest = max(len(text.encode("utf-8")) for pair in pairs for text in pair)
        if longest <= LONGEST_VALUE:
            encode_head(0, metadata=pairs)
            return
        problem = f"a text of {longest} bytes, and {LONGEST_VALUE} at most go into one"
    except ValueError as error:  # Too long, or a text that UTF-8 has no bytes for.
        problem = str(error)
    raise ConfigurationError(f"the metadata is none that can be sent: {problem}")
