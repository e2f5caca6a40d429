"""Functions that are saved in a file and served elsewhere."""

from __future__ import annotations

import os
import pickle
from typing import Union

from .errors import ConfigurationError
from .models import Function, Model


class ClosureError(Exception):
    """A file that no model could be read from: why, and what to do."""


def save(function: Union[Function, Model], path: "Union[str, os.PathLike[str]]") -> None:
    """Saves a function, or a ``Model`` with its settings, to be served by ``python -m model_container PATH``.

    Functions of the main module, lambdas and what they refer to are saved by value; modules that they import have to be
    installed where they are served.

    :raises ImportError: without cloudpickle.
    """
    try:
        import cloudpickle  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise ImportError("saving a function needs cloudpickle: pip install cloudpickle") from None
    if not callable(function):
        raise TypeError(f"a function was expected, not a {type(function).__name__}")
    content = cloudpickle.dumps(function)
    with open(path, "wb") as file:
        file.write(content)


def load(path: "Union[str, os.PathLike[str]]") -> Model:
    """Reads what ``save`` has written. **It runs what the file says**: read none that you don't trust.

    :raises ConfigurationError: for a path where there is no file.
    :raises ClosureError: for a file that holds no function, or one that cannot be read here.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise ConfigurationError(f"the model's file {os.fspath(path)!r} cannot be read: {error.strerror}") from None
    try:
        found = pickle.loads(content)
    except ModuleNotFoundError as error:
        raise ClosureError(
            f"{os.fspath(path)} needs the module {error.name!r}, which is not installed: pip install "
            f"{(error.name or '').partition('.')[0]}, or what has it"
        ) from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise ClosureError(
            f"{os.fspath(path)} is no closure that can be read here ({said}); write it with model_container.save, by "
            "the same version of Python"
        ) from error
    if isinstance(found, Model):
        return found
    if not callable(found):
        raise ClosureError(f"{os.fspath(path)} holds a {type(found).__name__}, and a function was expected")
    return Model(found)
