"""What choosing and learning cost: predict with `exp3` against the standard policy, and feedback per second.

Predict: two applications of one frontend are linked to the same model, of which one container is there,
`sum-container`; one has the standard policy, the other `exp3`. A third has `exp3` and two models, with a container
each. `wrk` loads one after the other with the requests of Benchmarks/run rest, 64 connections; the order changes from
round to round.

Feedback: a frontend with its store in a file, an application with `exp3` and two models; 128 connections, each
sending the next feedback when the last is durable. By query id; by query id, each with a feedback id of its own; by
user and input, for which models have to be asked. The run fails if a request does.
"""

import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from client import Connection
from results import arguments, table, write_json
from serving import BIN, REPOSITORY, Failure, Frontend, processes

SCRIPTS = REPOSITORY / "Benchmarks" / "scripts"
SLO = "1s"


def load(frontend, path, seconds, connections, script, *words):
    """A run of wrk: what its script says, with requests per second, and the frontend's processor time for each."""
    before = frontend.cpu_seconds()
    ended = subprocess.run(
        ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", SCRIPTS / script, "--latency",
         frontend.query + path, "--", *map(str, words)], capture_output=True, text=True,
    )  # fmt: skip
    line = re.search(r"^result .*", ended.stdout, re.MULTILINE)
    if ended.returncode != 0 or not line:
        raise Failure(f"wrk failed: {ended.stdout}{ended.stderr}")
    result = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[0])}
    if result["status"] or result["socket"] or not result["requests"]:
        raise Failure(f"requests to {path} failed: {line[0]}")
    result["rate"] = result["requests"] / result["micros"] * 1e6
    result["cpu_micros"] = (frontend.cpu_seconds() - before) / result["requests"] * 1e6
    return result


def serve(frontend, models):
    for model in models:
        frontend.register_model(model, caches=True)
        frontend.container(BIN / "sum-container", name=model)
    frontend.await_replicas(len(models))


def in_turn(number, names):
    """The names, each round beginning with another one."""
    at = number % len(names)
    return names[at:] + names[:at]


def check(frontend, application):
    """Fast answers count only if they are answers."""
    answer = Connection(frontend.query).predict(application, [1.5, 2.5, 4.25])
    if answer["default"] or answer["output"] != 8.25:
        raise Failure(f"{application} answered a sample with {answer}")


def predict(chosen):
    """Rounds of results, by application."""
    names = ["standard", "exp3", "exp3-of-two"]
    rounds = []
    with processes() as started:
        frontend = Frontend(started)
        serve(frontend, ["sum", "other-sum"])
        frontend.register_application("standard", "sum", slo=SLO)
        frontend.register_application("exp3", "sum", slo=SLO, policy="exp3")
        frontend.register_application("exp3-of-two", "sum", "other-sum", slo=SLO, policy="exp3")
        for name in names:
            check(frontend, name)
            load(frontend, f"/{name}/predict", 1, chosen.connections, "predict.lua")
        for number in range(chosen.runs):
            rounds.append({
                name: load(frontend, f"/{name}/predict", chosen.seconds, chosen.connections, "predict.lua")
                for name in in_turn(number, names)
            })  # fmt: skip
        for name in names:
            check(frontend, name)
        defaults = frontend.metric("clipper_default_outputs_total")
    if defaults:
        raise Failure(f"{defaults:.0f} queries got the default")
    print(f"Predict over REST, {chosen.connections} connections, inputs of 100 doubles, {chosen.seconds} s each.")
    rows = []
    for number, one in enumerate(rounds, 1):
        rates = [f"{one[name]['rate']:.0f}" for name in names]
        costs = [f"{one['standard']['rate'] / one[name]['rate']:.2f}" for name in names[1:]]
        rows.append([number, *rates, *costs, *(f"{one[name]['cpu_micros']:.1f}" for name in names)])
    table(
        ["round", "standard, req/s", "exp3", "exp3 of two models", "cost of exp3", "of two", "standard, CPU µs/req",
         "exp3", "exp3 of two models"], rows,
    )  # fmt: skip
    for name in names[1:]:
        for what, ratios in (
            ("requests per second, standard to", [one["standard"]["rate"] / one[name]["rate"] for one in rounds]),
            ("the frontend's CPU per request to standard:", [one[name]["cpu_micros"] / one["standard"]["cpu_micros"]
                                                             for one in rounds]),
        ):  # fmt: skip
            print(f"{what} {name}: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")
    return rounds


def feedback(chosen):
    """Rounds of results, by the form of the feedback."""
    forms = ["tell", "identify", "input"]
    rounds = []
    with processes() as started, tempfile.TemporaryDirectory(prefix="selection-", dir=chosen.store or None) as folder:
        frontend = Frontend(started, store=Path(folder) / "clipper.sqlite")
        serve(frontend, ["sum", "other-sum"])
        frontend.register_application("learning", "sum", "other-sum", slo=SLO, policy="exp3")
        ids = Path(folder) / "ids"
        for number in range(chosen.runs):
            load(frontend, "/learning/predict", 1, 64, "feedback.lua", "ask", ids)
            one = {}
            for form in in_turn(number, forms):
                before = frontend.metric("clipper_feedback_total", result="counted")
                words = (1000,) if form == "input" else (ids,)
                path = "/learning/update"
                one[form] = load(
                    frontend, path, chosen.seconds, chosen.feedback_connections, "feedback.lua", form, *words
                )
                counted = frontend.metric("clipper_feedback_total", result="counted") - before
                if counted < one[form]["requests"]:
                    raise Failure(f"{one[form]['requests']} answers, but only {counted:.0f} feedbacks counted")
            rounds.append(one)
    print()
    print(f"Feedback, durable when answered, {chosen.feedback_connections} connections, {chosen.seconds} s each.")
    rows = []
    for number, one in enumerate(rounds, 1):
        cells = [f"{one[form]['rate']:.0f}" for form in forms]
        latencies = [f"{one[form][key] / 1000:.1f}" for form in forms for key in ("p50", "p99")]
        rows.append([number, *cells, *latencies])
    table(
        ["round", "by query id, /s", "with feedback id", "by user and input", "query id, p50 ms", "p99",
         "feedback id, p50", "p99", "input, p50", "p99"], rows,
    )  # fmt: skip
    for form in forms:
        rates = [one[form]["rate"] for one in rounds]
        print(f"{form}: median {statistics.median(rates):.0f}/s, {min(rates):.0f} to {max(rates):.0f}")
    return rounds


def main():
    chosen = arguments(
        __doc__, runs=(5, "rounds"), seconds=(2, "seconds of each measurement"),
        connections=(64, "connections of predict"), feedback_connections=(128, "connections of feedback"),
        store=("", "a folder on the disk that the store is to be on; the system's for temporary files if empty"),
        only=("", "predict or feedback; both if empty"),
    )  # fmt: skip
    measured = {part.__name__: part(chosen) for part in (predict, feedback) if chosen.only in ("", part.__name__)}
    write_json(chosen.results / "cost.json", measured)


if __name__ == "__main__":
    main()
