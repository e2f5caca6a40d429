"""Plots of lines as SVG, for light and dark pages."""

import math
from dataclasses import dataclass, field
from html import escape

COLOURS = ["#1f77d0", "#d9600a", "#2b9348", "#a64ac9", "#b8860b", "#c2185b", "#6c757d"]
"""Of middling brightness, so that each can be told from white and from black."""

WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 66, 20, 34, 46
LEGEND_LINE = 18


@dataclass
class Line:
    """One series: its points by x, and how it is drawn."""

    name: str
    points: list
    colour: int = 0
    dashes: str = ""
    width: float = 2.0
    marks: bool = False


@dataclass
class Panel:
    """One pair of axes. The axis of y begins at 0, or at a power of ten where it is logarithmic."""

    title: str
    x: str
    y: str
    lines: list
    x_ticks: list = None
    events: list = field(default_factory=list)
    levels: list = field(default_factory=list)
    y_most: float = None
    logarithmic: bool = False
    legend: bool = True
    height: int = 360


def write(path, title, *panels):
    """Panels below one another."""
    height = sum(_height(panel) for panel in panels)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        "<style>text{fill:#444}.title{font-size:14px;font-weight:bold}.grid{stroke:#888;stroke-opacity:.28}"
        ".event{stroke:#888;stroke-dasharray:3 3}"
        "@media(prefers-color-scheme:dark){text{fill:#c4c4c4}}</style>",
        f"<title>{escape(title)}</title>",
    ]
    top = 0
    for panel in panels:
        out += [f'<g transform="translate(0 {top})">', *_panel(panel, f"inside-{top}"), "</g>"]
        top += _height(panel)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*out, "</svg>", ""]))


def thinned(points, most=400):
    """At most about so many of the points, with the first and the last."""
    step = max(1, len(points) // most)
    return points[::step] + ([points[-1]] if (len(points) - 1) % step else [])


def _legend_rows(panel):
    rows, x = [[]], LEFT
    for line in panel.lines if panel.legend else []:
        wide = 34 + 6.6 * len(line.name) + 16
        if x + wide > WIDTH and rows[-1]:
            rows.append([])
            x = LEFT
        rows[-1].append((x, line))
        x += wide
    return [row for row in rows if row]


def _height(panel):
    return panel.height + LEGEND_LINE * len(_legend_rows(panel))


def _panel(panel, clip):
    top = TOP + LEGEND_LINE * len(_legend_rows(panel))
    bottom = _height(panel) - BOTTOM
    right = WIDTH - RIGHT
    xs = [x for line in panel.lines for x, _ in line.points]
    ys = [y for line in panel.lines for _, y in line.points] + [y for y, _ in panel.levels]
    ticks = panel.x_ticks or [(x, f"{x:,g}") for x in _steps(min(xs), max(xs), 8)]
    x_least, x_most = min(xs + [x for x, _ in ticks]), max(xs + [x for x, _ in ticks])
    if panel.x_ticks:
        # Room on both sides of points that stand for themselves.
        margin = (x_most - x_least) * 0.06
        x_least, x_most = x_least - margin, x_most + margin
    if panel.logarithmic:
        y_least, y_most = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys)))
        decades = range(round(math.log10(y_most / y_least)))
        y_ticks = [y_least * 10**decade * factor for decade in decades for factor in (1, 2, 5)] + [y_most]
    else:
        y_ticks = list(_steps(0, panel.y_most or max(ys), 6))
        y_least, y_most = 0, panel.y_most or y_ticks[-1]

    def at_x(x):
        return LEFT + (x - x_least) / (x_most - x_least) * (right - LEFT)

    def at_y(y):
        if panel.logarithmic:
            share = math.log(y / y_least) / math.log(y_most / y_least)
        else:
            share = (y - y_least) / (y_most - y_least)
        return bottom - share * (bottom - top)

    yield f'<text class="title" x="{LEFT}" y="20">{escape(panel.title)}</text>'
    for row, lines in enumerate(_legend_rows(panel)):
        y = TOP + 4 + row * LEGEND_LINE
        for x, line in lines:
            yield f'<line x1="{x:.0f}" y1="{y}" x2="{x + 26:.0f}" y2="{y}" {_stroke(line)}/>'
            yield f'<text x="{x + 32:.0f}" y="{y + 4}">{escape(line.name)}</text>'
    for y in y_ticks:
        yield f'<line class="grid" x1="{LEFT}" y1="{at_y(y):.1f}" x2="{right}" y2="{at_y(y):.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{at_y(y) + 4:.1f}" text-anchor="end">{y:,g}</text>'
    for x, label in ticks:
        yield f'<line class="grid" x1="{at_x(x):.1f}" y1="{top}" x2="{at_x(x):.1f}" y2="{bottom}"/>'
        yield f'<text x="{at_x(x):.1f}" y="{bottom + 17}" text-anchor="middle">{escape(label)}</text>'
    for x, label in panel.events:
        yield f'<line class="event" x1="{at_x(x):.1f}" y1="{top}" x2="{at_x(x):.1f}" y2="{bottom}"/>'
        yield f'<text x="{at_x(x) + 5:.1f}" y="{top + 14}">{escape(label)}</text>'
    for y, label in panel.levels:
        yield f'<line class="event" x1="{LEFT}" y1="{at_y(y):.1f}" x2="{right}" y2="{at_y(y):.1f}"/>'
        yield f'<text x="{right - 4}" y="{at_y(y) - 5:.1f}" text-anchor="end">{escape(label)}</text>'
    inside = f'x="{LEFT}" y="{top - 4}" width="{right - LEFT}" height="{bottom - top + 8}"'
    yield f'<clipPath id="{clip}"><rect {inside}/></clipPath>'
    for line in panel.lines:
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in line.points)
        yield f'<polyline points="{path}" fill="none" stroke-linejoin="round" {_stroke(line)}'
        yield f' clip-path="url(#{clip})"/>'
        if line.marks:
            for x, y in line.points:
                yield f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.5" fill="{COLOURS[line.colour]}"/>'
    middle = (top + bottom) / 2
    yield f'<text x="{(LEFT + right) / 2:.0f}" y="{bottom + 36}" text-anchor="middle">{escape(panel.x)}</text>'
    yield f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(panel.y)}</text>'


def _stroke(line):
    dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
    return f'stroke="{COLOURS[line.colour]}" stroke-width="{line.width:g}"{dashes}'


def _steps(least, most, count):
    """Round numbers from the one at or below the least to the one at or above the most."""
    length = most - least or 1
    size = next(m * 10.0**n for n in range(-6, 12) for m in (1, 2, 5) if length / (m * 10.0**n) <= count)
    first, last = math.floor(least / size + 1e-9), math.ceil(most / size - 1e-9)
    return [round(index * size, 9) for index in range(first, last + 1)]
