"""Model containers: a Python function, served to a query frontend by RPC 4 or RPC 3.

from model_container import serve

serve(lambda xs: [float(x.sum()) for x in xs], name="sum", version=1, input_type="doubles")
"""

from .batch_context import BatchContext, context
from .closures import save
from .decorator import model
from .errors import ConfigurationError, InvalidInput, ModelFailure, Unavailable
from .models import Model
from .serving import serve
from .settings import SOFTWARE_VERSION as __version__

__all__ = [
    "BatchContext",
    "ConfigurationError",
    "InvalidInput",
    "Model",
    "ModelFailure",
    "Unavailable",
    "__version__",
    "context",
    "model",
    "save",
    "serve",
]
