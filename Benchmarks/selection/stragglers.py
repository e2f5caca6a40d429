"""Ensembles of 2 to 16 containers with heavy-tailed latency: answers at the deadline against waiting for all.

It repeats an experiment of the paper on Clipper (NSDI 2017, section 5). Each container serves a small decision tree
for the handwritten digits, and takes 2 ms and a draw from a Pareto distribution for a batch. Ensembles of the first
2, 4, 8 and 16 of them answer by majority. Each ensemble is two applications: one with an SLO of 20 ms, where the
answers that have come by then are combined, and one that waits for all. Queries come at a rate by Poisson's law,
whatever becomes of them; latency counts from when a query was due. All are measured in turn, in several rounds.
"""

import statistics
import sys
from functools import partial

import numpy as np

from client import at_rate, quantile
from digits import parts
from plot import Line, Panel, write
from results import arguments, table, write_json
from serving import FOLDER, Failure, Frontend, processes

SIZES = [2, 4, 8, 16]
IN_ONE_PROCESS = 8
WAYS = {"slo": "20 ms", "all": "waiting for all"}


def serve(frontend, started, chosen):
    for number in range(max(SIZES)):
        frontend.register_model(f"tree-{number}")
    for first in range(0, max(SIZES), IN_ONE_PROCESS):
        started.start(
            sys.executable, FOLDER / "slow_trees.py", "--first", first, "--count", IN_ONE_PROCESS,
            "--seed", chosen.seed, "--scale", chosen.scale, "--shape", chosen.shape, "--frontend", frontend.rpc,
        )  # fmt: skip
    for size in SIZES:
        trees = [f"tree-{number}" for number in range(size)]
        frontend.register_application(f"slo-{size}", *trees, slo=f"{chosen.slo}ms", policy="majority")
        frontend.register_application(f"all-{size}", *trees, slo="30s", policy="majority")
    frontend.await_replicas(max(SIZES))


def ask_for_digit(application, bodies, labels, drawn, connection, number):
    answer = connection.predict(application, bodies[drawn[number]])
    return len(answer["models"]), bool(answer["output"] == labels[drawn[number]]), answer["default"]


def measure(chosen):
    """For each way and size, of each query: its latency in milliseconds, how many models were combined, whether the
    answer was right, and whether it was the default."""
    _, images, _, labels = parts()
    bodies = [str(image.tolist()) for image in images]
    drawn = np.random.default_rng(chosen.seed).integers(0, len(images), 1_000_000)
    measured = {}
    with processes() as started:
        frontend = Frontend(started, "--batches-in-flight", 8)
        serve(frontend, started, chosen)
        ways = [(way, size) for size in SIZES for way in WAYS]
        for number in range(chosen.rounds):
            for way, size in ways[:: -1 if number % 2 else 1]:
                ask = partial(ask_for_digit, f"{way}-{size}", bodies, labels, drawn[1000 * number :])
                if number == 0:
                    # The first queries teach the frontend what a batch takes.
                    at_rate(frontend.query, chosen.rate, 3, chosen.seed, ask)
                results = at_rate(frontend.query, chosen.rate, chosen.seconds, chosen.seed + number, ask)
                measured.setdefault((way, size), []).extend((1000 * latency, *given) for latency, given in results)
    return measured


def figures(queries, size):
    latencies = [latency for latency, *_ in queries]
    return {
        "queries": len(queries), "p50_ms": quantile(latencies, 0.5), "p99_ms": quantile(latencies, 0.99),
        "max_ms": max(latencies), "share": statistics.fmean(models for _, models, _, _ in queries) / size,
        "accuracy": statistics.fmean(right for _, _, right, _ in queries),
        "defaults": sum(default for *_, default in queries),
    }  # fmt: skip


def report(chosen, all_figures):
    print(f"{chosen.rate:g} queries/s for {chosen.rounds} × {chosen.seconds} s each, in turn; SLO {chosen.slo} ms.")
    print(f"A batch takes 2 ms, and on top of that a draw from Pareto's distribution of scale {chosen.scale:g} ms and")
    print(f"exponent {chosen.shape:g}, 300 ms at most.")
    rows = []
    for size in SIZES:
        slo, waiting = all_figures["slo", size], all_figures["all", size]
        rows.append([
            size, *(f"{one[key]:.1f}" for key in ("p50_ms", "p99_ms") for one in (slo, waiting)),
            *(f"{one['share']:.1%}" for one in (slo, waiting)),
            *(f"{one['accuracy']:.3f}" for one in (slo, waiting)),
            f"{waiting['accuracy'] - slo['accuracy']:+.3f}", slo["defaults"], slo["queries"],
        ])  # fmt: skip
        if waiting["defaults"]:
            raise Failure(f"{waiting['defaults']} queries got the default although nothing was to be late")
    table(
        ["models", "p50 ms, SLO", "p50 ms, all", "p99 ms, SLO", "p99 ms, all", "models in an answer, SLO",
         "all", "accuracy, SLO", "accuracy, all", "given up", "defaults, SLO", "queries"], rows,
    )  # fmt: skip


def draw(chosen, all_figures):
    ticks = [(index, str(size)) for index, size in enumerate(SIZES)]

    def line(way, key, factor=1):
        name = f"SLO {chosen.slo} ms" if way == "slo" else "waiting for all"
        points = [(index, factor * all_figures[way, size][key]) for index, size in enumerate(SIZES)]
        return Line(name, points, list(WAYS).index(way), marks=True, width=2.5)

    write(
        chosen.plots / "selection-stragglers.svg",
        "Latency, models in an answer, and accuracy of ensembles with and without waiting for stragglers",
        Panel("99th percentile of the latency", "models in the ensemble", "ms", [line(way, "p99_ms") for way in WAYS],
              x_ticks=ticks, logarithmic=True, height=300),
        Panel("Models whose answers were combined", "models in the ensemble", "% of the ensemble",
              [line(way, "share", 100) for way in WAYS], x_ticks=ticks, y_most=100, legend=False, height=280),
        Panel("Accuracy", "models in the ensemble", "% of right answers",
              [line(way, "accuracy", 100) for way in WAYS], x_ticks=ticks, y_most=100, legend=False, height=280),
    )  # fmt: skip


def main():
    chosen = arguments(
        __doc__, rate=(25.0, "queries per second"), rounds=(4, "how often each is measured, in turn"),
        seconds=(10, "seconds of each measurement"),
        slo=(20, "milliseconds"), scale=(1.0, "the scale of the tail, in milliseconds"),
        shape=(1.5, "the tail's exponent"),
    )  # fmt: skip
    measured = measure(chosen)
    all_figures = {key: figures(queries, key[1]) for key, queries in measured.items()}
    report(chosen, all_figures)
    write_json(chosen.results / "stragglers.json", {f"{way}-{size}": one for (way, size), one in all_figures.items()})
    draw(chosen, all_figures)


if __name__ == "__main__":
    main()
