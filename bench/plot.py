"""Charts as SVG, by hand: lines over a logarithmic axis, Chinese and English, readable by itself and in a page."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_WIDTH, _HEIGHT = 860, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 28, 118, 74
_COLOURS = ("#1f5fbf", "#7a8794", "#d9822b", "#2b8a5a", "#a23b72")
_DASHES = ("", "6 4", "", "", "2 3")
_FONT = "'Noto Sans CJK SC', 'WenQuanYi Micro Hei', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_STEPS = (1, 2, 2.5, 5, 10)
_STEP_COUNT = 6
_ROUNDING = 1 - 1e-9
"""Of a power of ten taken of a logarithm."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; `name` in both languages. Points are (x, y), x above zero and rising."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of some lines. `x_name` and `y_name` say the unit; `note` is a line in small print."""

    title: str
    note: str
    x_name: str
    y_name: str
    lines: Sequence[Line]

    def write(self, path: Path) -> None:
        """Write it as SVG."""
        path.write_text(self.svg(), encoding="utf-8")

    def svg(self) -> str:
        """The chart as one SVG document."""
        places = sorted({x for line in self.lines for x, _ in line.points})
        most = max(y for line in self.lines for _, y in line.points)
        axes = _Axes(places[0], places[-1], _step(most) * math.ceil(most / _step(most)))
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="{_FONT}" font-size="13">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            _text(_LEFT, 30, self.title, size=18, weight="bold", anchor="start"),
            _text(_LEFT, 50, self.note, size=12, colour="#5b6670", anchor="start"),
            *_legend(self.lines),
            *_grid(axes, places),
            _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 20, self.x_name),
            _text(22, (_TOP + _HEIGHT - _BOTTOM) / 2, self.y_name, turned=True),
            *(part for index, line in enumerate(self.lines) for part in _curve(axes, line, index)),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where a value lies on the picture: x by its logarithm, y from zero."""

    least_x: float
    most_x: float
    top: float

    def x(self, value: float) -> float:
        """Where a value stands from the left, in pixels; the scale is logarithmic."""
        share = math.log(value / self.least_x) / math.log(self.most_x / self.least_x) if self.most_x > self.least_x else 0.5
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        """Where a value stands from the top, in pixels; the scale begins at 0."""
        return round(_HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM), 1)


def _grid(axes: _Axes, places: Sequence[float]) -> list[str]:
    """Lines across at round values, and marks at each x that was measured."""
    step = _step(axes.top)
    parts: list[str] = []
    for index in range(round(axes.top / step) + 1):
        y = axes.y(index * step)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="{"#e3e8ec" if index else "#46525c"}"/>')
        parts.append(_text(_LEFT - 10, y + 4, _short(index * step), anchor="end", colour="#46525c"))
    for place in places:
        x, y = axes.x(place), axes.y(0)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{y}" y2="{y + 5}" stroke="#46525c"/>')
        parts.append(_text(x, y + 21, _short(place), colour="#46525c"))
    return parts


def _curve(axes: _Axes, line: Line, index: int) -> list[str]:
    colour = _COLOURS[index % len(_COLOURS)]
    points = [(axes.x(x), axes.y(y)) for x, y in line.points]
    way = " ".join(f"{x},{y}" for x, y in points)
    return [
        f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{_DASHES[index % len(_DASHES)]}"/>',
        *(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points),
    ]


def _legend(lines: Sequence[Line]) -> list[str]:
    """Names in two columns under the title."""
    parts: list[str] = []
    for index, line in enumerate(lines):
        x, y = _LEFT + index % 2 * 380, 72 + index // 2 * 20
        colour, dash = _COLOURS[index % len(_COLOURS)], _DASHES[index % len(_DASHES)]
        parts.append(f'<line x1="{x}" x2="{x + 26}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/>')
        parts.append(_text(x + 34, y + 4, line.name, anchor="start"))
    return parts


def _text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 13,
    weight: str = "normal",
    anchor: str = "middle",
    colour: str = "#1c252c",
    turned: bool = False,
) -> str:
    look = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"'
    turn = f' transform="rotate(-90 {x} {y})"' if turned else ""
    return f'<text x="{x}" y="{y}" {look}{turn}>{escape(content)}</text>'


def _step(most: float) -> float:
    """A round step that reaches `most` in a few."""
    power = 10.0 ** math.floor(math.log10(most / _STEP_COUNT))
    return next(step for step in (factor * power for factor in _STEPS) if step * _STEP_COUNT >= most * _ROUNDING)


def _short(value: float) -> str:
    """A number as an axis has room for: 250, 90 k, 2.5 M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"
