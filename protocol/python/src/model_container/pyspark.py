"""``python -m model_container.pyspark MODEL_DIR``: serves a saved pipeline of MLlib, with a Spark of its own."""

from __future__ import annotations

import argparse
import importlib.util
import os
from typing import List, Optional, Sequence

from .command import Parser, options, pair, parser, run_program
from .errors import ConfigurationError
from .models import Model
from .serving import configure_logging
from .settings import settings
from .wire import DataType

DEFAULT_VERSION = "1"
"""Of a saved pipeline, which has no code that could state one."""

NEEDED = "pip install 'pyspark>=4,<5' 'pyarrow>=11'"


def main(arguments: Optional[Sequence[str]] = None) -> None:
    made = _parser()
    chosen = made.parse_args(arguments)
    folder = chosen.model or os.environ.get("CLIPPER_MODEL_PATH")
    if not folder:
        made.error("which model? State the folder of a saved pipeline, or set CLIPPER_MODEL_PATH")
    try:
        # Spark takes seconds to start: whatever is wrong with the settings is said before.
        input_type = settings(Model(list, version=DEFAULT_VERSION), flags=options(chosen)).registration.input_type
    except ConfigurationError as error:
        made.error(str(error))
    _check_packages(made)
    _serve(made, chosen, folder, input_type)


def _parser() -> Parser:
    made = parser(
        "Serves a pipeline of Spark's MLlib that PipelineModel.save has written. Needs pyspark 4, pyarrow, and Java 17 "
        f"or later. The version is {DEFAULT_VERSION} unless another one is stated.",
        "python -m model_container.pyspark",
    )
    add = made.add_argument
    add("model", metavar="MODEL_DIR", nargs="?", help="the saved pipeline (environment: CLIPPER_MODEL_PATH)")
    add(
        "--features-column",
        default="features",
        metavar="COLUMN",
        help="the pipeline's input: a vector of numbers, or a string, or bytes, by the input type (default: features)",
    )
    add(
        "--output-column",
        default="prediction",
        metavar="COLUMN",
        help="the column that the pipeline adds and that is the answer (default: prediction)",
    )
    add("--master", default="local[1]", help="where Spark computes (default: local[1], a thread of its own process)")
    add(
        "--spark-conf",
        type=pair,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of Spark, such as spark.driver.memory=4g; may be repeated",
    )
    return made


def _check_packages(made: Parser) -> None:
    missing = [name for name in ("pyspark", "pyarrow") if importlib.util.find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        made.exit(1, f"error: {' and '.join(missing)} {verb} not installed here: {NEEDED}\n")


def _serve(made: Parser, chosen: argparse.Namespace, folder: str, input_type: DataType) -> None:
    # Imported only now that its packages are known to be here.
    from .pyspark_pipeline import ServedPipeline

    served: List[ServedPipeline] = []

    def loaded() -> Model:
        configure_logging(chosen.log_level)
        pipeline = ServedPipeline(folder, chosen.features_column, chosen.output_column, input_type)
        served.append(pipeline)
        pipeline.start(chosen.master, dict(chosen.spark_conf))
        return Model(pipeline, version=DEFAULT_VERSION, metadata=pipeline.metadata)

    try:
        run_program(made, chosen, loaded)
    finally:
        for pipeline in served:
            pipeline.stop()
    if any(pipeline.has_died for pipeline in served):
        made.exit(1, "error: Spark's Java process has ended; start the container again\n")


if __name__ == "__main__":
    main()
