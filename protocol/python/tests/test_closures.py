"""Functions that are saved in a file and served by another process."""

import sys

import pytest
from frontend import BOUND, values
from programs import end_of, variables

from model_container import Model, rpc3, rpc4, save

cloudpickle = pytest.importorskip("cloudpickle")


def test_a_saved_closure_is_served_elsewhere(frontend, program, tmp_path):
    factor = 3
    path = tmp_path / "closure.pkl"
    save(lambda rows: [factor * row.sum() for row in rows], path)
    flags = f"--name triple --version 1 --port {frontend.port} --input-type doubles --largest-batch 10"
    program("-m", "model_container", path, *flags.split(), "--metadata", "framework=none")
    registration = frontend.register()
    assert (registration.model_name, registration.largest_batch) == ("triple", 10)
    assert dict(registration.metadata)["framework"] == "none"
    frontend.predict(1, [[1, 2]])
    assert values(frontend.expect(rpc4.Results)) == [9.0]


def test_a_model_is_saved_with_its_settings(frontend, program, tmp_path):
    path = tmp_path / "closure.pkl"
    save(Model(lambda text: len(text), name="length", version=3, input_type="strings", per_input=True), path)
    program(
        "-m", "model_container", **{**variables(frontend), "CLIPPER_MODEL_NAME": "", "CLIPPER_MODEL_PATH": str(path)}
    )
    registration = frontend.register()
    assert (registration.model_name, registration.model_version) == ("length", "1")
    assert registration.input_type.name == "STRING"


def test_a_closure_is_served_in_rpc3_where_that_is_told(frontend, program, tmp_path):
    path = tmp_path / "closure.pkl"
    save(len, path)
    program("-m", "model_container", path, "--rpc", 3, "--per-input", **variables(frontend))
    frontend.expect(rpc3.Heartbeat)
    frontend.send(rpc3.RequestMetadata())
    assert frontend.expect(rpc3.NewContainer).model_name == "sum"


def test_help_names_every_flag_and_variable(program):
    process = program("-m", "model_container", "--help")
    said, _ = process.communicate(timeout=BOUND)
    assert process.returncode == 0
    for word in ("closure", "--name", "--input-type", "--frontend", "--rpc", "CLIPPER_IP", "CLIPPER_MODEL_PATH"):
        assert word in said


def wrong_file(tmp_path, content):
    path = tmp_path / "wrong.pkl"
    path.write_bytes(content)
    return path


def test_says_what_is_wrong_with_a_file(program, tmp_path):
    named = {"CLIPPER_MODEL_NAME": "a", "CLIPPER_MODEL_VERSION": "1"}

    def said_of(*arguments):
        return end_of(program("-m", "model_container", *arguments, **named))

    status, said = said_of()
    assert status == 64 and "which model?" in said
    status, said = said_of(tmp_path / "missing.pkl")
    assert status == 64 and "missing.pkl' cannot be read: No such file or directory" in said
    status, said = said_of(tmp_path)
    assert status == 64 and "Is a directory" in said
    status, said = said_of(wrong_file(tmp_path, b"this is no pickle"))
    assert status == 1 and "is no closure that can be read here" in said
    status, said = said_of(wrong_file(tmp_path, cloudpickle.dumps(42)))
    assert status == 1 and "holds a int, and a function was expected" in said
    status, said = said_of(wrong_file(tmp_path, b"cno_such_module\nf\n."))
    assert status == 1 and "needs the module 'no_such_module', which is not installed" in said
    assert "Traceback" not in said


def test_without_cloudpickle_saving_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(ImportError, match="pip install cloudpickle"):
        save(len, tmp_path / "closure.pkl")
    with pytest.raises(TypeError, match="a function was expected"):
        monkeypatch.undo()
        save(3, tmp_path / "closure.pkl")
