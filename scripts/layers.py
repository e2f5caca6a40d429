#!/usr/bin/env python3
"""Checks that arrows between the folders of a module point down only (docs/architecture.md).

A file may name the types of its own layer and of those below it. What is looked for are the names of types and functions that
stand outside of any other; comments and strings do not count, nor do names that a lower layer gives to something else. A use
that names no type is not seen: of a member that a higher layer adds in an extension, for one.
"""

import re
import subprocess
import sys
from pathlib import Path

# Each module's folders, from the lowest to the highest; those of one line do not know each other. "." is the module's own
# folder. A folder within another counts for itself where it is named.
LAYERS = {
    "Sources/ContainerRPC": [["Shared"], ["Wire"], ["Logging", "Session"], ["Transport"]],
    "Sources/QueryFrontend": [
        ["Handles", "JSON"],
        ["Caching"],
        ["Scheduling"],
        ["Selection"],
        ["Catalog"],
        ["Selection/Store", "Metrics"],
        ["Dispatch"],
        ["HTTP"],
        ["."],
    ],
}

DECLARATION = re.compile(
    r"^(?P<indent> *)(?P<before>(?:@?\w+(?:\([^)\n]*\))? )*)(?:struct|enum|class|actor|protocol|typealias|func) (?P<name>\w+)",
    re.MULTILINE,
)
STRING = re.compile(r'(#*)("""|")')
WORD = re.compile(r"\b[A-Za-z_]\w*")


def string_end(text: str, start: int, code: list[str]) -> int:
    """Where a string ends that begins here; what is interpolated is code."""
    opening = STRING.match(text, start)
    escape, end = "\\" + opening[1], opening[2] + opening[1]
    place = opening.end()
    while place < len(text) and not text.startswith(end, place):
        if text.startswith(escape + "(", place):
            place = code_end(text, place + len(escape) + 1, code)
        elif text.startswith(escape, place):
            place += len(escape) + 1
        else:
            place += 1
    return place + len(end)


def code_end(text: str, start: int, code: list[str]) -> int:
    """Gathers code without comments and strings, up to the bracket that closes what begins here, or to the end."""
    depth, place = 0, start
    while place < len(text):
        if text.startswith("//", place):
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        elif text.startswith("/*", place):
            place = text.index("*/", place) + 2
        elif STRING.match(text, place):
            code.append(" ")
            place = string_end(text, place, code)
        else:
            depth += {"(": 1, ")": -1}.get(text[place], 0)
            if depth < 0:
                code.append(" ")
                return place + 1
            code.append(text[place])
            place += 1
    return place


def code_of(file: Path) -> str:
    code: list[str] = []
    code_end(file.read_text(), 0, code)
    return "".join(code)


def height(folder: str, layers: list[list[str]]) -> tuple[int, str]:
    """How high a folder lies, and the layer that it belongs to: the longest that leads to it."""
    for name in sorted({name for line in layers for name in line}, key=len, reverse=True):
        if folder == name or folder.startswith(name + "/") and name != ".":
            return next(place for place, line in enumerate(layers) if name in line), name
    raise SystemExit(f"scripts/layers.py does not know the folder {folder}")


def problems(module: str, layers: list[list[str]]) -> list[str]:
    listed = subprocess.run(["git", "ls-files", f"{module}/*.swift"], check=True, capture_output=True, text=True)
    files = [Path(line) for line in listed.stdout.splitlines() if Path(line).exists()]
    codes = {file: code_of(file) for file in files}
    places = {file: height(str(file.parent.relative_to(module)), layers) for file in files}
    outside: dict[str, tuple[int, str]] = {}  # By the name of a declaration that all files see: where it stands.
    within: dict[str, int] = {}  # By the name of one within another: the lowest that has it.
    for file, code in codes.items():
        for found in DECLARATION.finditer(code):
            is_seen = not found["indent"] and not re.search(r"\b(private|fileprivate)\b", found["before"])
            if is_seen:
                outside[found["name"]] = max(places[file], outside.get(found["name"], (-1, "")))
            else:
                within[found["name"]] = min(places[file][0], within.get(found["name"], len(layers)))
    lines = []
    for file, code in codes.items():
        own, layer = places[file]
        for name in sorted(set(WORD.findall(code)) & outside.keys()):
            there, target = outside[name]
            is_up = there > own or there == own and target != layer
            if is_up and within.get(name, len(layers)) > own:
                lines.append(f"{file}: {name} is of a higher layer, {target}")
    return lines


if __name__ == "__main__":
    found = [line for module, layers in LAYERS.items() for line in problems(module, layers)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
