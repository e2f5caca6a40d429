"""Trains the PySpark example into a folder; writes the held-out images with what the saved pipeline's own `transform`
makes of them, as JSON. Usage: own_answers.py FOLDER FILE"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pyspark"))

import train  # noqa: E402
from pyspark.ml import PipelineModel  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

folder, file = sys.argv[1:]
train.main(folder)
held_out = train.images(SparkSession.getActiveSession(), held_out=True)
rows = PipelineModel.load(folder).transform(held_out).select("features", "prediction").collect()
Path(file).write_text(json.dumps([[row.features.tolist(), row.prediction] for row in rows]))
