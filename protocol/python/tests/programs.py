"""What tests of containers in processes of their own share."""

from frontend import BOUND


def end_of(process):
    """The status and what was said on standard error."""
    _, said = process.communicate(timeout=BOUND)
    return process.returncode, said


def variables(frontend):
    return {"CLIPPER_MODEL_NAME": "sum", "CLIPPER_MODEL_VERSION": "1", "CLIPPER_PORT": str(frontend.port)}
