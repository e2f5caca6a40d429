"""Processes that a model's function starts: signals reach them, and they end without the container, or with it."""

import os
import signal

import pytest
from frontend import BOUND, values
from programs import end_of

from model_container import rpc4
from model_container.rpc4 import GoodbyeCode

HEAD = """
    import multiprocessing, os, signal, sys, time
    from model_container import serve

    fork = multiprocessing.get_context("fork")

    def serve_(function):
        serve(function, name="forking", version=1, input_type="doubles")
"""


@pytest.fixture
def forking(frontend, program, script):
    """Starts a container whose function this is, and registers it."""

    def begin(function):
        process = program(script(HEAD + function), CLIPPER_PORT=str(frontend.port))
        frontend.register()
        return process

    return begin


def test_a_container_whose_function_has_forked_a_daemon_ends_and_the_daemon_with_it(frontend, forking):
    process = forking("""
    daemons = []

    def function(rows):
        daemons.append(fork.Process(target=time.sleep, args=(3600,), daemon=True))
        daemons[-1].start()
        return [daemons[-1].pid]

    serve_(function)
    """)
    frontend.predict(1, [[1]])
    (daemon,) = values(frontend.expect(rpc4.Results))
    try:
        process.terminate()
        frontend.expect(rpc4.Goodbye)
        frontend.send(rpc4.Goodbye(GoodbyeCode.STOPPING))
        assert process.wait(BOUND) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(daemon, 0)
    finally:
        end_anyhow(daemon)


def test_a_forked_process_is_terminated_by_the_function_even_before_it_has_begun(frontend, forking):
    forking("""
    def function(rows):
        ends = []
        for _ in rows:
            process = fork.Process(target=time.sleep, args=(10,), daemon=True)
            process.start()
            process.terminate()
            process.join()
            ends.append(process.exitcode)
        return ends

    serve_(function)
    """)
    frontend.predict(1, [[number] for number in range(20)])
    assert values(frontend.expect(rpc4.Results)) == [-signal.SIGTERM] * 20


def test_the_workers_of_a_pool_end_with_it(frontend, forking):
    process = forking("""
    def function(rows):
        with fork.Pool(2) as pool:
            return pool.map(float, [row[0] for row in rows])

    serve_(function)
    """)
    frontend.predict(1, [[1], [2]])
    assert values(frontend.expect(rpc4.Results)) == [1.0, 2.0]
    process.terminate()
    frontend.expect(rpc4.Goodbye)
    frontend.send(rpc4.Goodbye(GoodbyeCode.STOPPING))
    assert end_of(process)[0] == 0


def test_a_forked_process_has_the_handlers_that_the_program_had(frontend, forking):
    forking("""
    def handle(number, frame):
        os._exit(42)

    def function(rows):
        here, there = fork.Pipe()
        def tell():
            own = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
            there.send([own[0] is handle, own[1] is signal.default_int_handler])
            there.send(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
        process = fork.Process(target=tell)
        process.start()
        told = [here.recv(), here.recv()]
        process.join()
        return [repr((told, sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))))]

    signal.signal(signal.SIGTERM, handle)
    # A job in the background of a shell begins with this one ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve_(function)
    """)
    frontend.predict(1, [[1]])
    assert values(frontend.expect(rpc4.Results)) == ["([[True, True], []], [])"], "and none of them is blocked"


@pytest.mark.parametrize("how, status", [("sys.exit(3)", 3), ("sys.exit()", 0), ("1 / 0", 1), ("return []", 0)])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_forked_process_that_comes_out_of_the_function_has_ended(frontend, forking, kind, how, status):
    forking(f"""
    {kind} function(rows):
        child = os.fork()
        if child == 0:
            {how}
        return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])] * len(rows)

    serve_(function)
    """)
    frontend.predict(1, [[1], [2], [3]])
    assert values(frontend.expect(rpc4.Results)) == [status] * 3


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_program_that_multiprocessing_imports_again_serves_but_once(frontend, program, script, method):
    process = program(
        script(f"""
        import multiprocessing
        from model_container import serve

        def double(number):
            return 2 * number

        def function(rows):
            with multiprocessing.get_context("{method}").Pool(1) as pool:
                return pool.map(double, [float(row[0]) for row in rows])

        serve(function, name="spawning", version=1, input_type="doubles")
        """),
        CLIPPER_PORT=str(frontend.port),
    )
    frontend.register()
    first = frontend.container
    frontend.predict(1, [[1], [2]])
    assert values(frontend.expect(rpc4.Results)) == [2.0, 4.0]
    assert frontend.container == first
    process.terminate()
    frontend.expect(rpc4.Goodbye)
    frontend.send(rpc4.Goodbye(GoodbyeCode.STOPPING))
    assert end_of(process)[0] == 0


def end_anyhow(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
