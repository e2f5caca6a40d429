"""A saved pipeline of MLlib as the function of a model."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import pyarrow as pa
import pyspark
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.ml import PipelineModel
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.functions import col

from . import pyspark_session
from .closures import ClosureError
from .errors import ConfigurationError, InvalidInput, ModelFailure, Unavailable
from .inputs import Inputs
from .wire import DataType

logger = logging.getLogger("model_container")

WARM_UP_LIMIT = 3.0
"""Seconds. Java is slow at what it does for the first time, and the first queries are not to wait for that."""
WARM_UP_RUNS = 20


ROW = "model_container_row"
"""A column with the inputs' numbers: which answer is whose, whatever stages drop or reorder."""


class ServedPipeline:
    """Answers batches by a pipeline that ``PipelineModel.save`` has written. ``start`` comes first, ``stop`` last."""

    def __init__(self, folder: str, features: str, output: str, input_type: DataType) -> None:
        """
        :param features: the column that the pipeline reads: a vector for numbers, else a string, or bytes.
        :param output: the column that is the answer.
        :raises ClosureError: if the folder holds no pipeline.
        """
        _check_folder(folder)
        self.folder = folder
        self.features = features
        self.output = output
        self.input_type = input_type
        self.metadata: Dict[str, str] = {"framework": "pyspark", "framework-version": pyspark.__version__}
        self._spark: Optional[SparkSession] = None
        self._as_vector: Any = None
        self._transform: Any = None
        self._answer: List[Any] = []

    # Starting and stopping.

    def start(self, master: str, stated: Mapping[str, str]) -> None:
        """Starts a Spark with these settings, and loads the pipeline into it.

        :raises ClosureError: if Spark cannot be started.
        """
        logger.info("starting Spark %s", pyspark.__version__)
        self.load(pyspark_session.start(master, stated))

    def load(self, spark: SparkSession) -> None:
        """Loads the pipeline, and runs it a few times.

        :raises ClosureError: if the pipeline cannot be read.
        :raises ConfigurationError: if it has not the columns that were stated.
        """
        self._spark = spark
        begun = time.monotonic()
        try:
            pipeline = PipelineModel.load(_url(self.folder))
        except Exception as error:
            raise ClosureError(f"{self.folder} is no pipeline that Spark can load: {_said(error)}") from None
        self._as_vector = array_to_vector(col(_quoted(self.features))).alias(self.features)
        self._transform = _transformer(pipeline, spark)
        self._check_columns(spark)
        self._warm_up(pipeline)
        logger.info("loaded %s in %.1f s", self.folder, time.monotonic() - begun)

    def stop(self) -> None:
        """Ends Spark. May be called whether it was started or not."""
        spark, self._spark = self._spark, None
        if spark is None or self.has_died:
            return
        try:
            spark.stop()
        except Exception as error:  # It is about to end anyhow.
            logger.debug("Spark did not stop: %s", error)

    has_died = False
    """Whether Spark's Java process was found gone: no batch can be answered any more."""

    # Answering.

    def __call__(self, batch: Inputs) -> List[Any]:
        spark = self._spark
        assert spark is not None, "start() comes first"
        try:
            rows = self._transform(self._frame(spark, batch)).select(*self._answer).collect()
        except (PySparkException, Py4JError, OSError) as error:
            if isinstance(error, (Py4JNetworkError, OSError)) or pyspark_session.has_died(spark):
                self._give_up()
                raise Unavailable("Spark's Java process has ended") from error
            raise ModelFailure(_said(error)) from None
        return self._in_order(rows, len(batch))

    def _in_order(self, rows: List[Row], count: int) -> List[Any]:
        numbered = len(self._answer) > 1
        if len(rows) > count or (len(rows) < count and not numbered):
            raise ModelFailure(f"the pipeline gave {len(rows)} rows for {count} inputs, and one for each was expected")
        if not numbered:
            return [_plain(row[0]) for row in rows]
        answers: List[Any] = [InvalidInput("a stage of the pipeline dropped this input, as not valid")] * count
        for row in rows:
            answers[row[1]] = _plain(row[0])
        return answers

    def _frame(self, spark: SparkSession, batch: Inputs) -> DataFrame:
        numbers = pa.array(np.arange(len(batch), dtype=np.int32))
        frame = spark.createDataFrame(pa.table({self.features: _column(batch, self.input_type), ROW: numbers}))
        return frame.select(self._as_vector, ROW) if self.input_type.is_numeric else frame

    def _give_up(self) -> None:
        """Ends the container as a signal would: it says goodbye, and the frontend has other replicas, or knows."""
        if not self.has_died:
            self.has_died = True
            logger.critical("Spark's Java process has ended: the container stops")
            os.kill(os.getpid(), signal.SIGTERM)

    # What is looked at before the first batch.

    def _check_columns(self, spark: SparkSession) -> None:
        try:
            given: DataFrame = self._transform(self._frame(spark, self._sample(1)))
        except Exception as error:
            raise ConfigurationError(
                f"the pipeline in {self.folder} does not take a column {self.features!r} of "
                f"{self.input_type.input_name} ({_said(error)}): see --features-column and --input-type"
            ) from None
        if self.output not in given.columns:
            found = ", ".join(name for name in given.columns if name not in (self.features, ROW)) or "nothing"
            raise ConfigurationError(
                f"the pipeline in {self.folder} gives no column {self.output!r}, but {found}: see --output-column"
            )
        is_vector = isinstance(given.schema[self.output].dataType, VectorUDT)
        # By name, not bound to this frame: it is used for the frames of all batches.
        answer = col(_quoted(self.output))
        self._answer = [vector_to_array(answer) if is_vector else answer]
        # A stage may have chosen other columns.
        if ROW in given.columns:
            self._answer.append(col(ROW))

    def _warm_up(self, pipeline: PipelineModel) -> None:
        end = time.monotonic() + WARM_UP_LIMIT
        sample = self._sample(_width(pipeline) or 1)
        try:
            for _ in range(WARM_UP_RUNS):
                self(sample)
                if time.monotonic() >= end:
                    break
        except ModelFailure as error:  # Of the pipeline's input nothing is known but its type.
            logger.debug("could not warm up: %s", error)

    def _sample(self, width: int) -> Inputs:
        if self.input_type is DataType.STRING:
            return [""]
        if self.input_type is DataType.BYTES:
            return [b""]
        return np.zeros((1, width))


def _check_folder(folder: str) -> None:
    path = Path(folder)
    if "://" in folder:
        return  # Elsewhere: only Spark can say.
    if not path.exists():
        raise ClosureError(f"there is no folder {folder}: state the one that PipelineModel.save has written")
    if not (path / "metadata").is_dir():
        raise ClosureError(f"{folder} holds no saved pipeline (it has no metadata/): write one with PipelineModel.save")
    if not (path / "stages").is_dir():
        raise ClosureError(
            f"{folder} holds no pipeline (it has no stages/), perhaps a model alone: save PipelineModel([model])"
        )


def _url(folder: str) -> str:
    """Also where Spark is set up with another default file system, a folder is one of this machine."""
    return folder if "://" in folder else Path(folder).resolve().as_uri()


def _transformer(pipeline: PipelineModel, spark: SparkSession) -> Any:
    """The pipeline's ``transform``. In Java, where all its stages are from there: one call instead of a few hundred,
    because Python's copies all parameters of all stages to Java for each batch."""
    try:
        java = pipeline._to_java()
    except Exception:  # A stage is written in Python.
        return pipeline.transform
    return lambda frame: DataFrame(java.transform(frame._jdf), spark)


def _column(batch: Inputs, input_type: DataType) -> pa.Array:
    if input_type is DataType.STRING:
        return pa.array(batch, pa.string())
    if input_type is DataType.BYTES:
        return pa.array(batch, pa.binary())
    lengths = [len(row) for row in batch]
    bounds = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=bounds[1:])
    numbers = np.concatenate(batch) if len(batch) else np.zeros(0)
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(numbers.astype(np.float64, copy=False)))


def _width(pipeline: PipelineModel) -> Optional[int]:
    """How many numbers the pipeline takes, if its first stage that knows can tell."""
    for stage in pipeline.stages:
        for name, size in (
            ("numFeatures", int),
            ("mean", len),
            ("originalMax", len),
            ("maxAbs", len),
            ("median", len),
            ("pc", lambda matrix: matrix.numRows),
        ):
            try:
                return int(size(getattr(stage, name)))
            except Exception:  # It has no such thing, or Java has no answer to it.
                continue
    return None


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"


def _plain(value: Any) -> Any:
    return value.asDict(recursive=True) if isinstance(value, Row) else value


def _said(error: BaseException) -> str:
    """What the innermost cause says: the outer ones say that a function failed, and which."""
    cause: Any = None
    if isinstance(error, CapturedException):
        cause = error._origin
    elif isinstance(error, Py4JJavaError):
        cause = error.java_exception
    try:
        while cause is not None and cause.getCause() is not None:
            cause = cause.getCause()
        if cause is not None:
            return f"{cause.getClass().getSimpleName()}: {cause.getMessage()}"
    except Exception:  # Java is gone, or has no such methods.
        pass
    return f"{type(error).__name__}: {error}"
