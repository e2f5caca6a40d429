"""Containers as main programs: signals, flags, and how they end."""

import signal

import pytest
from frontend import BOUND, values
from programs import end_of, variables

from model_container import ConfigurationError, Model, rpc4, serve
from model_container.rpc4 import GoodbyeCode

SERVE = """
    from model_container import serve
    serve(lambda xs: [float(x.sum()) for x in xs], name="code", version=2, input_type="doubles")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_goodbye_and_status_0(frontend, program, script, number):
    process = program(script(SERVE), **variables(frontend))
    registration = frontend.register()
    assert (registration.model_name, registration.model_version) == ("sum", "1"), "the environment beats the code"
    frontend.predict(1, [[1, 2], [3]])
    assert values(frontend.expect(rpc4.Results)) == [3.0, 3.0]
    process.send_signal(number)
    assert frontend.expect(rpc4.Goodbye) == rpc4.Goodbye(GoodbyeCode.STOPPING, signal.Signals(number).name)
    frontend.send(rpc4.Goodbye(GoodbyeCode.STOPPING))
    assert end_of(process)[0] == 0


def test_a_signal_is_heard_while_the_model_is_at_work_and_a_second_one_is_the_end(frontend, program, script):
    process = program(
        script("""
            import time
            from model_container import serve
            serve(lambda xs: time.sleep(3600), name="slow", version=1)  # never done before the test is
        """),
        CLIPPER_PORT=str(frontend.port),
    )
    frontend.register()
    frontend.predict(1, [[1]])
    process.terminate()
    frontend.expect(rpc4.Goodbye)
    process.terminate()
    assert end_of(process)[0] == 0


def test_a_drained_container_ends_with_status_0(frontend, program, script):
    process = program(script(SERVE), **variables(frontend))
    frontend.register()
    frontend.send(rpc4.Goodbye(GoodbyeCode.DRAINED))
    assert end_of(process)[0] == 0


def test_ends_while_no_frontend_is_there(program, script):
    process = program(script(SERVE + "\n"), CLIPPER_PORT="1")
    for line in process.stderr:
        if "serving code:2" in line:
            break
    process.terminate()
    assert process.wait(BOUND) == 0


def test_serve_raises_for_wrong_settings(program, script):
    status, said = end_of(program(script("from model_container import serve\nserve(len, version=1)")))
    assert status == 1 and "ConfigurationError: the model's name is missing" in said


def test_serve_takes_a_function_and_a_model_serves_itself(frontend, program, script):
    path = script("""
        from model_container import Model
        Model(len, name="length", version=1, input_type="strings", per_input=True).serve()
    """)
    program(path, CLIPPER_PORT=str(frontend.port))
    assert frontend.register().model_name == "length"
    with pytest.raises(ConfigurationError, match=r"call its serve\(\)"):
        serve(Model(len))


def test_main_takes_flags_and_ends_with_64_for_wrong_ones(frontend, program, script):
    path = script("""
        from model_container import model

        @model(name="shout", version=1, input_type="strings", per_input=True)
        def shout(text):
            return text.upper()

        shout.main()
    """)
    process = program(path, "--version", "7", "--port", frontend.port)
    registration = frontend.register()
    assert (registration.model_name, registration.model_version) == ("shout", "7")
    status, said = end_of(program(path, "--port", "zero"))
    assert status == 64 and "error: the frontend's port is 'zero'; expected a number from 1 to 65535" in said
    status, said = end_of(program(path, "--input-type", "doubles"))
    assert status == 64 and "takes strings" in said
    status, said = end_of(program(path, "--nonsense"))
    assert status == 64 and "--nonsense" in said
    assert process.poll() is None
