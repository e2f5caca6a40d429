"""Settings: flags beat the environment, which beats the code; what is wrong is said before anything is connected."""

import pytest

from model_container import ConfigurationError, Model
from model_container.command import options, parser
from model_container.settings import Options, settings
from model_container.wire import DataType


def made(model=None, code=None, flags=None, **environment):
    return settings(model or Model(len), Options(**(code or {})), Options(**(flags or {})), environment)


NAMED = {"CLIPPER_MODEL_NAME": "sum", "CLIPPER_MODEL_VERSION": "1"}


def test_the_environment_is_enough():
    chosen = made(**NAMED)
    assert (chosen.registration.model_name, chosen.registration.model_version) == ("sum", "1")
    assert chosen.registration.input_type is DataType.FLOAT64
    assert chosen.endpoint == "tcp://127.0.0.1:7000"
    assert chosen.rpc is None


def test_flags_beat_the_environment_which_beats_the_code():
    in_code = Model(len, name="code", version=1)
    assert made(in_code).registration.model_name == "code"
    assert made(in_code, {"name": "later code"}).registration.model_name == "later code"
    assert made(in_code, **NAMED).registration.model_name == "sum"
    assert made(in_code, flags={"name": "flag"}, **NAMED).registration.model_name == "flag"
    assert made(in_code, CLIPPER_MODEL_NAME="").registration.model_name == "code", "empty is not set"


@pytest.mark.parametrize(
    "code, flags, environment, endpoint",
    [
        ({"port": 7001}, {}, {}, "tcp://127.0.0.1:7001"),
        ({"port": 7001, "host": "a"}, {}, {"CLIPPER_PORT": "7002"}, "tcp://a:7002"),
        ({"port": 7001}, {"port": "7003"}, {"CLIPPER_PORT": "7002", "CLIPPER_IP": "b"}, "tcp://b:7003"),
        ({}, {"host": "::1"}, {}, "tcp://[::1]:7000"),
        ({"endpoint": "ipc:///tmp/x"}, {}, {}, "ipc:///tmp/x"),
        ({"endpoint": "ipc:///tmp/x"}, {}, {"CLIPPER_IP": "b"}, "tcp://b:7000"),
        ({"endpoint": "ipc:///tmp/x"}, {"port": "7003"}, {}, "tcp://127.0.0.1:7003"),
        ({}, {"endpoint": "tcp://c:1"}, {"CLIPPER_IP": "b"}, "tcp://c:1"),
    ],
)
def test_finds_the_frontend(code, flags, environment, endpoint):
    assert made(code=code, flags=flags, **NAMED, **environment).endpoint == endpoint


@pytest.mark.parametrize("name, data_type", [("B", 0), ("ints", 1), ("Floats", 2), ("double", 3), ("strs", 4)])
def test_knows_all_names_of_input_types(name, data_type):
    assert made(**NAMED, CLIPPER_INPUT_TYPE=name).registration.input_type == data_type


@pytest.mark.parametrize(
    "settings_of_it, said",
    [
        ({"CLIPPER_MODEL_VERSION": "1"}, "the model's name is missing.*--name.*CLIPPER_MODEL_NAME"),
        ({"CLIPPER_MODEL_NAME": "sum"}, "the model's version is missing.*--version"),
        ({**NAMED, "CLIPPER_MODEL_NAME": "a,b"}, "the model's name is 'a,b'"),
        ({**NAMED, "CLIPPER_MODEL_VERSION": "ü" * 129}, "expected 1 to 256 bytes"),
        ({**NAMED, "CLIPPER_MODEL_VERSION": "\ud800"}, "expected 1 to 256 bytes"),
        ({**NAMED, "CLIPPER_PORT": "70000"}, "port is '70000'; expected a number from 1 to 65535"),
        ({**NAMED, "CLIPPER_PORT": "0"}, "port is '0'"),
        ({**NAMED, "CLIPPER_PORT": "7e3"}, "port is '7e3'"),
        ({**NAMED, "CLIPPER_INPUT_TYPE": "complex"}, "the input type is 'complex'; expected bytes, integers, floats"),
        ({**NAMED, "flags": {"endpoint": "localhost"}}, "expected an endpoint such as"),
        ({**NAMED, "flags": {"endpoint": "tcp://a:1", "port": "1"}}, "leave --host and --port out"),
        ({**NAMED, "code": {"endpoint": "tcp://a:1", "host": "b"}}, "leave host= and port= out"),
        ({**NAMED, "code": {"rpc": 5}}, "the RPC version is 5; expected 3 or 4"),
        ({**NAMED, "code": {"largest_batch": 0}}, "largest_batch is 0; expected a number from 1"),
        ({**NAMED, "code": {"metadata": {"a": "x" * 70000}}}, "the metadata is none that can be sent"),
        ({**NAMED, "code": {"metadata": {c: "x" * 30000 for c in "abc"}}}, "the metadata is none that can be sent"),
        ({**NAMED, "code": {"metadata": {"a": "\ud800"}}}, "the metadata is none that can be sent"),
    ],
)
def test_says_what_is_wrong(settings_of_it, said):
    with pytest.raises(ConfigurationError, match=said):
        made(**settings_of_it)


def test_nothing_can_contradict_the_type_that_the_code_says():
    strings = Model(len, input_type="strings")
    assert made(strings, **NAMED, CLIPPER_INPUT_TYPE="str").registration.input_type is DataType.STRING
    with pytest.raises(ConfigurationError, match="stated as doubles.*takes strings"):
        made(strings, **NAMED, CLIPPER_INPUT_TYPE="doubles")


def test_beats_while_busy_unless_the_code_or_a_flag_says_otherwise():
    def beats(model=None, **options):
        return made(model, **options, **NAMED).registration.beats_while_busy

    silent = Model(len, beats_while_busy=False)
    assert beats() and not beats(silent)
    assert not beats(flags={"beats_while_busy": False}) and beats(silent, flags={"beats_while_busy": True})
    assert [options(parser("").parse_args(flags)).beats_while_busy for flags in FLAGS] == [None, True, False]


FLAGS = [[], ["--beats-while-busy"], ["--no-beats-while-busy"]]


async def awaitable(inputs, labels):
    pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"version": "a:b"},
        {"input_type": "x"},
        {"largest_batch": 0},
        {"batches_in_flight": True},
        {"feedback": 3},
        {"feedback": awaitable},
    ],
)
def test_a_model_is_checked_where_it_is_made(wrong):
    with pytest.raises(ConfigurationError):
        Model(len, **wrong)
    with pytest.raises(ConfigurationError, match="a function was expected"):
        Model(3)
