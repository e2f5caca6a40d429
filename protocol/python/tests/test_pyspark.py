"""Pipelines of MLlib as models. Their example, and how fast they are, is tested with the other real models."""

import json
import shutil

import pytest
from frontend import WELCOME
from programs import end_of

from model_container import ConfigurationError, InvalidInput, Model, ModelFailure, Unavailable, rpc3, rpc4

pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")
if shutil.which("java") is None:
    pytest.skip("there is no java on the PATH", allow_module_level=True)

from py4j.protocol import Py4JNetworkError  # noqa: E402
from pyspark.ml import PipelineModel  # noqa: E402
from pyspark.ml.feature import ElementwiseProduct, SQLTransformer, Tokenizer, VectorSizeHint  # noqa: E402
from pyspark.ml.linalg import Vectors  # noqa: E402

from model_container import pyspark_pipeline, pyspark_session  # noqa: E402
from model_container.closures import ClosureError  # noqa: E402
from model_container.pyspark_pipeline import ServedPipeline  # noqa: E402
from model_container.wire import DataType  # noqa: E402

SPARK_BOUND = 120.0
"""Seconds in which a Spark of its own has to be up."""


@pytest.fixture(scope="module")
def spark():
    started = pyspark_session.start("local[1]", {})
    yield started
    started.stop()


@pytest.fixture
def served(spark, tmp_path, monkeypatch):
    """A model of a pipeline of these stages, saved and loaded."""
    monkeypatch.setattr(pyspark_pipeline, "WARM_UP_RUNS", 1)

    def load(*stages, input_type="doubles", features="features", output="prediction"):
        folder = str(tmp_path / "pipeline")
        PipelineModel(list(stages)).write().overwrite().save(folder)
        pipeline = ServedPipeline(folder, features, output, DataType.named(input_type))
        pipeline.load(spark)
        return Model(pipeline, input_type=input_type)

    return load


def weights(output="prediction", features="features"):
    return ElementwiseProduct(scalingVec=Vectors.dense([1.0, 10.0]), inputCol=features, outputCol=output)


def sql(columns):
    return SQLTransformer(statement=f"SELECT *, {columns} FROM __THIS__")


@pytest.mark.parametrize("input_type", ["doubles", "floats", "integers"])
def test_numbers_are_a_vector_and_vectors_lists(served, input_type):
    assert served(weights(), input_type=input_type).predict([[1, 2], [3, 4]]) == [[1.0, 20.0], [3.0, 40.0]]


def test_strings_are_a_column_of_strings(served):
    model = served(Tokenizer(inputCol="features", outputCol="prediction"), input_type="strings")
    assert model.predict(["Guten Tag", "é"]) == [["guten", "tag"], ["é"]]


def test_bytes_are_a_column_of_bytes(served):
    assert served(sql("length(features) AS prediction"), input_type="bytes").predict([b"abc", b""]) == [3, 0]


def test_structs_are_dicts(served):
    model = served(sql("struct(1.5D AS a, array('x') AS b) AS prediction"))
    assert model.predict([[1.0]]) == [{"a": 1.5, "b": ["x"]}]


def test_columns_can_have_other_names(served):
    model = served(weights("an output", "an input"), features="an input", output="an output")
    assert model.predict([[1, 2]]) == [[1.0, 20.0]]


def test_an_input_that_the_pipeline_does_not_take_gets_what_spark_says(served):
    good, bad, other = served(weights()).predict([[1, 2], [3], [5, 6]])
    assert (good, other) == ([1.0, 20.0], [5.0, 60.0])
    assert isinstance(bad, ModelFailure) and "size" in str(bad).lower() and "\n\tat " not in str(bad)


def test_an_input_that_the_pipeline_drops_is_an_error_of_its_own(served):
    hint = VectorSizeHint(inputCol="features", size=2, handleInvalid="skip")
    good, dropped, other = served(hint, weights()).predict([[1, 2], [3], [5, 6]])
    assert (good, other) == ([1.0, 20.0], [5.0, 60.0])
    assert isinstance(dropped, InvalidInput) and "dropped" in str(dropped)


def test_answers_are_in_the_order_of_the_inputs_whatever_a_stage_does_with_rows(served):
    reversing = SQLTransformer(
        statement="SELECT *, length(features) AS prediction FROM __THIS__ ORDER BY features DESC"
    )
    assert served(reversing, input_type="strings").predict(["a", "bb", "ccc"]) == [1, 2, 3]


def test_a_pipeline_that_keeps_no_other_column_is_held_to_one_row_for_each_input(served):
    dropping = SQLTransformer(statement="SELECT length(features) AS prediction FROM __THIS__ WHERE features != 'x'")
    good, dropped = served(dropping, input_type="strings").predict(["aa", "x"])
    assert good == 2 and isinstance(dropped, ModelFailure) and "0 rows for 1 inputs" in str(dropped)


def test_a_column_that_is_not_there_is_named_with_those_that_are(served):
    with pytest.raises(ConfigurationError, match="gives no column 'prediction', but scaled: see --output-column"):
        served(weights("scaled"))
    with pytest.raises(ConfigurationError, match="does not take a column 'features'.*see --features-column"):
        served(weights(features="pixels"))
    with pytest.raises(ConfigurationError, match="of strings.*see --features-column and --input-type"):
        served(weights(), input_type="strings")


def test_when_java_is_gone_the_container_stops_and_others_may_answer(served, monkeypatch):
    signals = []
    monkeypatch.setattr(pyspark_pipeline.os, "kill", lambda pid, number: signals.append(number))
    model = served(weights())

    def fail(frame):
        raise Py4JNetworkError("Answer from Java side is empty")

    model.function._transform = fail
    with pytest.raises(Unavailable, match="Java process has ended"):
        model.predict([[1, 2]])
    assert len(signals) == 1 and model.function.has_died


def test_a_folder_without_a_pipeline_is_named(tmp_path):
    with pytest.raises(ClosureError, match="there is no folder .*/none"):
        ServedPipeline(str(tmp_path / "none"), "features", "prediction", DataType.FLOAT64)
    with pytest.raises(ClosureError, match="no saved pipeline"):
        ServedPipeline(str(tmp_path), "features", "prediction", DataType.FLOAT64)
    (tmp_path / "metadata").mkdir()
    with pytest.raises(ClosureError, match="perhaps a model alone"):
        ServedPipeline(str(tmp_path), "features", "prediction", DataType.FLOAT64)


def test_a_pipeline_that_spark_cannot_read_is_named(spark, tmp_path):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "stages").mkdir()
    (tmp_path / "metadata" / "part-00000").write_text(json.dumps({"class": "com.example.Unknown"}))
    with pytest.raises(ClosureError, match="is no pipeline that Spark can load"):
        ServedPipeline(str(tmp_path), "features", "prediction", DataType.FLOAT64).load(spark)


@pytest.mark.parametrize("stated, version", [((), "1"), (("--version", "2"), "2")])
def test_a_pipeline_has_version_1_unless_another_is_stated(spark, program, frontend, tmp_path, stated, version):
    PipelineModel([weights()]).write().overwrite().save(str(tmp_path))
    named = ("--name", "m", "--input-type", "doubles", "--port", frontend.port, *stated)
    program("-m", "model_container.pyspark", tmp_path, *named)
    frontend.expect(rpc3.Heartbeat, bound=SPARK_BOUND)
    frontend.send(WELCOME)
    assert frontend.expect(rpc4.Register).model_version == version


NAMED = ("--name", "m", "--version", "1")


@pytest.mark.parametrize(
    "arguments, variables, status, said",
    [
        (NAMED, {}, 64, "State the folder"),
        (("FOLDER",), {}, 64, "--name"),
        (("FOLDER", *NAMED, "--spark-conf", "x"), {}, 64, "KEY=VALUE"),
        (("FOLDER/none", *NAMED), {}, 1, "there is no folder"),
        (("FOLDER/none", "--name", "m"), {}, 1, "there is no folder"),
        (("FOLDER", *NAMED), {"PATH": "/nowhere"}, 1, "there is no java on the PATH"),
        (("FOLDER", *NAMED), {"JAVA_HOME": "/nowhere"}, 1, "JAVA_HOME=/nowhere"),
    ],
)
def test_says_what_is_missing_before_spark_is_started(program, tmp_path, arguments, variables, status, said):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "stages").mkdir()
    arguments = [argument.replace("FOLDER", str(tmp_path)) for argument in arguments]
    process = program("-m", "model_container.pyspark", *arguments, **{"JAVA_HOME": "", **variables})
    ended, said_at_last = end_of(process)
    assert ended == status and said in said_at_last and "Traceback" not in said_at_last, said_at_last
