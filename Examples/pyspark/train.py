"""Trains a pipeline of Spark's MLlib on the handwritten digits, judges it, and saves it.

Needs pyspark and Java 17 or later. Usage: python3 train.py FOLDER
Every third image of Examples/digits/data/digits.csv is held out; README.md there says where the images are from.
"""

import sys
from pathlib import Path

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import MinMaxScaler
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame, SparkSession

DATA = Path(__file__).resolve().parents[1] / "digits" / "data" / "digits.csv"
REQUIRED_ACCURACY = 0.95


def images(spark: SparkSession, held_out: bool) -> DataFrame:
    rows = [[float(number) for number in line.split(",")] for line in DATA.read_text().splitlines()[1:]]
    chosen = [(row[0], Vectors.dense(row[1:])) for index, row in enumerate(rows) if (index % 3 == 2) == held_out]
    return spark.createDataFrame(chosen, ["label", "features"])


def train(spark: SparkSession) -> PipelineModel:
    scaler = MinMaxScaler(inputCol="features", outputCol="scaled")
    # Penalised: the classes can be separated, and without a penalty the weights would grow without an end.
    regression = LogisticRegression(featuresCol="scaled", maxIter=30, regParam=0.001)
    return Pipeline(stages=[scaler, regression]).fit(images(spark, held_out=False).cache())


def main(folder: str) -> None:
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    pipeline = train(spark)
    judged = pipeline.transform(images(spark, held_out=True)).cache()
    accuracy = MulticlassClassificationEvaluator(metricName="accuracy").evaluate(judged)
    print(f"{judged.count()} held-out digits, accuracy {accuracy:.4f}")
    if accuracy < REQUIRED_ACCURACY:
        raise SystemExit(f"below {REQUIRED_ACCURACY}: nothing written")
    pipeline.write().overwrite().save(Path(folder).resolve().as_uri())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python3 train.py FOLDER")
    main(sys.argv[1])
