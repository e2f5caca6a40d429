#!/usr/bin/env python3
"""Reads what `clipper bench` measured and makes the tables of ../run of it. Only Python's own library."""

import csv
import json
import statistics
import sys

GOAL = 0.99


def runs_of(path):
    with open(path) as file:
        return json.load(file)["runs"]


def value_of(run, path):
    """A number of a run; a table of counts (defaults, errors) gives their sum."""
    value = run
    for key in path.split("."):
        value = (value or {}).get(key)
    if isinstance(value, dict):
        return sum(value.values())
    return 0 if value is None else value


def get(path, *names):
    """Values of the first run."""
    run = runs_of(path)[0]
    print(*(value_of(run, name) for name in names))


def reasons(path):
    """The default outputs of the first run by reason."""
    counts = runs_of(path)[0]["defaults"]
    print(", ".join(f"{reason}: {count}" for reason, count in sorted(counts.items())) or "none")


def best(*paths):
    """The highest goodput of each file's runs, as a whole number."""
    for path in paths:
        print(round(max(run["goodput"] for run in runs_of(path))))


def count(name):
    """How many elements an array of the JSON on standard input has."""
    print(len(json.load(sys.stdin)[name]))


def repetitions(file, runs):
    """The runs of `file-1.json`, `file-2.json` …: for each repetition, one for each rate."""
    return [runs_of(f"{file}-{number}.json") for number in range(1, int(runs) + 1)]


def batching(runs, *files):
    """A row for each rate, with goodput and share inside the SLO of each policy; then the best of each repetition."""
    policies = [(policy, repetitions(file, runs)) for policy, file in zip(files[::2], files[1::2])]
    print()
    print("| offered/s |" + "".join(f" {policy} goodput/s | inside |" for policy, _ in policies))
    print("| ---: |" + " ---: | ---: |" * len(policies))
    for index, first in enumerate(policies[0][1][0]):
        cells = ""
        for _, every in policies:
            goodput = statistics.median(one[index]["goodput"] for one in every)
            share = statistics.median(one[index]["share_in_slo"] for one in every)
            cells += f" {goodput:.0f} | {100 * share:.1f} % |"
        print(f"| {first['rate']:.0f} |{cells}")
    print()
    print(f"| policy | best goodput/s | best with {100 * GOAL:.0f} % inside the SLO |")
    print("| --- | --- | --- |")
    for policy, every in policies:
        print(f"| {policy} | {spread([most(one) for one in every])} | {spread([most(one, GOAL) for one in every])} |")


def most(runs, goal=0.0):
    """The highest goodput of the rates that kept the goal."""
    return max((run["goodput"] for run in runs if run["share_in_slo"] >= goal), default=0.0)


def spread(values, digits=0):
    """Median and range."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def optimum(goodput, file, single, runs):
    """The best goodput that kept the goal, against the optimum and against that of single queries."""
    kept = [most(one, GOAL) for one in repetitions(file, runs)]
    alone = [most(one) for one in repetitions(single, runs)]
    print(f"deadline with at least {100 * GOAL:.0f} % inside the SLO, to the optimum of {goodput}/s:",
          spread([value / float(goodput) for value in kept], 2))
    if all(alone):
        print("to the best goodput of fixed(1):", spread([value / one for value, one in zip(kept, alone)], 1))


def memory(path, out):
    """What became of the resident memory: in words, and as a plot."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    points = [(float(row["seconds"]) / 60, float(row["resident_kib"]) / 1024) for row in rows]
    later = points[len(points) // 4:]
    slope = 0.0
    if len(later) > 2:
        slope = statistics.linear_regression([x for x, _ in later], [y for _, y in later]).slope
    print(f"Resident memory in MiB: {points[0][1]:.1f} at the start, {later[0][1]:.1f} after a quarter of the time,"
          f" {points[-1][1]:.1f} at the end, {max(y for _, y in points):.1f} at most;"
          f" after the first quarter {slope * 1024:+.1f} KiB a minute.")
    with open(out, "w") as file:
        file.write(plot(points, "minutes", "resident memory of the frontend, MiB"))


def step(length, ticks=6):
    """A distance of round numbers that divides an axis into some parts."""
    for size in (value * 10 ** power for power in range(-3, 9) for value in (1, 2, 5)):
        if length / size <= ticks:
            return size
    return length


def plot(points, x_label, y_label, width=760, height=360):
    """An SVG of one line, from zero on both axes, for light and dark pages."""
    left, right, top, bottom = 60, 20, 20, 50
    x_most = max(x for x, _ in points) or 1
    y_step = step(max(y for _, y in points))
    y_most = y_step * (int(max(y for _, y in points) / y_step) + 1)

    def at(x, y):
        return (left + x / x_most * (width - left - right), height - bottom - y / y_most * (height - top - bottom))

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<style>text{fill:#555}.grid{stroke:#888;stroke-opacity:.3}.line{fill:none;stroke:#1f6feb;stroke-width:2}'
        '@media(prefers-color-scheme:dark){text{fill:#aaa}}</style>',
        f"<title>{y_label}</title>",
    ]
    y = 0.0
    while y <= y_most + y_step / 2:
        x_px, y_px = at(0, y)
        lines.append(f'<line class="grid" x1="{x_px:.1f}" y1="{y_px:.1f}" x2="{width - right}" y2="{y_px:.1f}"/>')
        lines.append(f'<text x="{x_px - 8:.1f}" y="{y_px + 4:.1f}" text-anchor="end">{y:g}</text>')
        y += y_step
    x_step, x = step(x_most, 10), 0.0
    while x <= x_most + 1e-9:
        x_px, y_px = at(x, 0)
        lines.append(f'<line class="grid" x1="{x_px:.1f}" y1="{top}" x2="{x_px:.1f}" y2="{y_px:.1f}"/>')
        lines.append(f'<text x="{x_px:.1f}" y="{y_px + 18:.1f}" text-anchor="middle">{x:g}</text>')
        x += x_step
    path = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
    lines.append(f'<polyline class="line" points="{path}"/>')
    lines.append(f'<text x="{width / 2:.0f}" y="{height - 12}" text-anchor="middle">{x_label}</text>')
    lines.append(f'<text transform="translate(16 {height / 2:.0f}) rotate(-90)" text-anchor="middle">{y_label}</text>')
    return "\n".join(lines + ["</svg>", ""])


COMMANDS = [get, reasons, best, count, batching, optimum, memory]

if __name__ == "__main__":
    {command.__name__: command for command in COMMANDS}[sys.argv[1]](*sys.argv[2:])
