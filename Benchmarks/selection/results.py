"""Where results go, and the tables that are printed."""

import argparse
import csv
import json
from pathlib import Path

from serving import REPOSITORY


def arguments(description, **flags):
    """The flags that all experiments take, and one for each of the others: its default, which it has the
    type of, and what it is."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = made.add_argument
    folder = REPOSITORY / "Benchmarks" / "results" / "selection"
    add("--results", type=Path, default=folder, help="a folder for figures")
    add("--plots", type=Path, default=REPOSITORY / "docs" / "plots", help="a folder for plots")
    add("--seed", type=int, default=1, help="of everything that is drawn here; what policies draw is the frontend's")
    for name, (default, what) in flags.items():
        add(f"--{name.replace('_', '-')}", type=type(default), default=default, help=what)
    chosen = made.parse_args()
    chosen.results.mkdir(parents=True, exist_ok=True)
    return chosen


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def table(header, rows):
    """A table in Markdown; all columns but the first are aligned to the right."""
    print()
    print("| " + " | ".join(map(str, header)) + " |")
    print("| --- |" + " ---: |" * (len(header) - 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)
