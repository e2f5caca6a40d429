"""One network in three frameworks: the Swift container, scikit-learn and ONNX Runtime."""

import subprocess
import sys

import pytest
from serving import BIN, EXAMPLES, Load

VERSIONS = ["swift", "scikit-learn", "onnx"]


@pytest.fixture(scope="session")
def onnx_file(tmp_path_factory):
    pytest.importorskip("onnx")
    file = tmp_path_factory.mktemp("onnx") / "digits.onnx"
    subprocess.run([sys.executable, EXAMPLES / "onnx" / "export.py", file], check=True, timeout=120)
    return file


@pytest.fixture
def start(frontend, request):
    """Starts the digits container of a framework, as a version of its own or as a model of its own."""

    def begin(framework, name, version):
        frontend.register_model(name, version)
        if framework == "swift":
            return frontend.container(BIN / "digits-container", name=name, version=version)
        if framework == "scikit-learn":
            pytest.importorskip("sklearn")
            return frontend.python(EXAMPLES / "scikit-learn" / "container.py", name=name, version=version)
        pytest.importorskip("onnxruntime")
        file = request.getfixturevalue("onnx_file")
        return frontend.python(EXAMPLES / "onnx" / "container.py", file, name=name, version=version)

    return begin


@pytest.mark.parametrize("framework", VERSIONS)
def test_every_held_out_digit_gets_the_answer_that_was_known_when_the_network_was_trained(
    frontend, start, held_out, framework
):
    start(framework, "digits", framework)
    frontend.register_application("digits", "digits")
    answers = frontend.predict_batch("digits", held_out.images)
    assert [answer["default"] for answer in answers] == [False] * len(held_out.images)
    assert [answer["output"] for answer in answers] == held_out.answers


@pytest.mark.parametrize("framework", VERSIONS[1:])
def test_an_input_that_is_no_image_costs_nobody_else_an_answer(frontend, start, held_out, framework):
    start(framework, "digits", framework)
    frontend.register_application("digits", "digits")
    *good, bad = frontend.predict_batch("digits", [*held_out.images[:20], [1.0, 2.0]])
    assert [answer["output"] for answer in good] == held_out.answers[:20]
    assert bad["default"] and "64" in str(bad), bad


def test_set_version_moves_an_application_from_one_framework_to_another_without_a_default(frontend, start, held_out):
    for framework in VERSIONS:
        start(framework, "digits", framework)
    frontend.run("model", "set-version", "digits", "swift")
    frontend.register_application("digits", "digits")
    with Load(frontend, "digits", held_out.images).running() as load:
        for framework in ["scikit-learn", "onnx", "swift", "onnx"]:
            before = served(frontend, "digits", framework)
            frontend.run("model", "set-version", "digits", framework)
            load.wait_for_more()
            assert served(frontend, "digits", framework) > before, f"{framework} got no query"
    assert_all_right(load, held_out)


def test_link_and_unlink_move_an_application_from_one_model_to_another_without_a_default(frontend, start, held_out):
    models = {framework: f"digits-{framework}" for framework in VERSIONS}
    for framework, name in models.items():
        start(framework, name, "1")
    frontend.register_application("digits", models["swift"])
    with Load(frontend, "digits", held_out.images).running() as load:
        for old, new in [("swift", "scikit-learn"), ("scikit-learn", "onnx"), ("onnx", "swift")]:
            before = served(frontend, models[new], "1")
            frontend.run("app", "link", "digits", models[new])
            frontend.run("app", "unlink", "digits", models[old])
            load.wait_for_more()
            assert served(frontend, models[new], "1") > before, f"{new} got no query"
    assert_all_right(load, held_out)


def served(frontend, name, version):
    return sum(replica["completed_queries"] for replica in frontend.replicas(name, version))


def assert_all_right(load, held_out):
    assert load.defaults == []
    assert all(answer["output"] == held_out.answers[index] for index, answer in load.answers)
