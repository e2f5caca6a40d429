"""``@model``: makes a function a ``Model``."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union, overload

from .models import Function, Model


@overload
def model(function: Function, /) -> Model: ...


@overload
def model(**settings: Any) -> Callable[[Function], Model]: ...


def model(function: Optional[Function] = None, /, **settings: Any) -> Union[Model, Callable[[Function], Model]]:
    """Makes the function below it a ``Model``, whose settings it takes: ``@model(name="sum", input_type="doubles")``,
    or just ``@model``."""
    if function is not None:
        return Model(function)
    return lambda decorated: Model(decorated, **settings)
