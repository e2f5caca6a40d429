"""The errors that a model's function may raise or return, and that of wrong settings."""

from __future__ import annotations

from .rpc4 import FailureCode


class ConfigurationError(ValueError):
    """A setting that is missing, impossible or contradictory: what it is, and what to do."""


class ModelFailure(Exception):
    """Raised, or returned in place of an output, by a model's function: like any exception, but with a code."""

    code = FailureCode.MODEL_ERROR


class InvalidInput(ModelFailure):
    """The model cannot take this input."""

    code = FailureCode.INVALID_INPUT


class Unavailable(ModelFailure):
    """The model cannot compute now, for a reason that is not the input's: another replica may."""

    code = FailureCode.UNAVAILABLE


class BatchLate(ModelFailure):
    """The batch's budget is spent."""

    code = FailureCode.TOO_LATE


class WrongOutputCount(ModelFailure):
    """The function returned another number of outputs than it got inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(f"the model returned {outputs} outputs for {inputs} inputs")


class BatchFailed(Exception):
    """A whole batch failed: ``cause`` is what the function raised."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(message_of(cause))
        self.cause = cause


def code_of(error: BaseException) -> FailureCode:
    # A class of the model's own may use this name for something else: that of the nearest class here counts then.
    own = [error, *type(error).__mro__] if isinstance(error, ModelFailure) else []
    stated = (vars(owner).get("code") for owner in own)
    return next((code for code in stated if isinstance(code, FailureCode)), FailureCode.MODEL_ERROR)


def message_of(error: BaseException) -> str:
    """What an error says, for a person who sees nothing but this."""
    try:
        said = str(error)
    except Exception:  # An error of the model's own making may fail even at that.
        said = ""
    if isinstance(error, ModelFailure):
        return said or type(error).__name__
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
