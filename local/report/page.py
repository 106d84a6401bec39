"""The report as one HTML file: nothing is loaded from elsewhere, and no script runs. All that it shows is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from local.report.sections import Chart, Section

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --pale: #667; --line: #d5d8de; --bar: #2f6fb3; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e9ec; --pale: #a2a7b3; --line: #3b4048; --bar: #6fa8e0; --paper: #16181c; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper); }
h2 { margin-top: 2.5rem; } .table { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem 1.25rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; max-width: 24rem; overflow-wrap: break-word; }
th { font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note, figcaption { color: var(--pale); font-size: 13px; max-width: 46rem; } figure { margin: 1.25rem 0; overflow-x: auto; }
svg { width: 100%; min-width: 28rem; max-width: 40rem; height: auto; display: block; } rect { fill: var(--bar); }
svg text { fill: var(--pale); font: 13px system-ui, sans-serif; } line { stroke: var(--line); }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WIDTH, HEIGHT, EDGE = 640, 144, 20
ROW, NAMES, NUMBERS = 22, 250, 130


def page(title: str, about: str, sections: Iterable[Section]) -> str:
    """The whole file."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1><p>{escape(about)}</p>\n{''.join(map(_section, sections))}</body></html>\n"
    )


def _section(section: Section) -> str:
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in section.notes)
    charts = "".join(
        f"<figure><figcaption>{escape(one.title)}</figcaption>{svg(one)}</figure>"
        for one in section.charts
        if one.shows
    )
    return f"<h2>{escape(section.title)}</h2>{_table(section)}{notes}{charts}\n"


def _table(section: Section) -> str:
    right = [is_number(column) for column in zip(*section.rows, strict=True)]

    def row(cells: Iterable[str], tag: str) -> str:
        classes = (' class="number"' if numbers else "" for numbers in right)
        return "".join(f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, classes, strict=True))

    body = "".join(f"<tr>{row(cells, 'td')}</tr>" for cells in section.rows)
    return f'<div class="table"><table><tr>{row(section.heads, "th")}</tr>{body}</table></div>'


def is_number(column: Iterable[str]) -> bool:
    """Whether a column of a table holds numbers, so that it is to be aligned to the right."""
    return all(
        cell in {"", "-", "not known"} or cell.removeprefix("less than ").lstrip("$")[:1].isdigit() for cell in column
    )


def svg(chart: Chart) -> str:
    """The chart's bars. A browser shows the label and the number of a bar when one points at it."""
    return _upright(chart) if chart.by_day else _lying(chart)


def _upright(chart: Chart) -> str:
    most = max(chart.bars.values())
    step = WIDTH / len(chart.bars)
    bottom, parts = HEIGHT - EDGE, []
    for number, (label, value) in enumerate(chart.bars.items()):
        height = value / most * (bottom - EDGE)
        parts.append(
            f'<rect x="{number * step + 1:.1f}" y="{bottom - height:.1f}" width="{step - 2:.1f}" height="{height:.1f}">'
            f"<title>{_told(chart, label, value)}</title></rect>"
        )
    labels = list(chart.bars)
    parts.append(f'<line x1="0" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/>')
    parts.append(
        f'<text x="0" y="{EDGE - 6}">{chart.say(most)}</text><text x="0" y="{HEIGHT - 4}">{escape(labels[0])}</text>'
    )
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT - 4}" text-anchor="end">{escape(labels[-1])}</text>')
    return _drawing(chart, HEIGHT, parts)


def _lying(chart: Chart) -> str:
    most, parts = max(chart.bars.values()), []
    for number, (label, value) in enumerate(chart.bars.items()):
        width, y = value / most * (WIDTH - NAMES - NUMBERS), number * ROW
        short = label if len(label) <= 34 else f"{label[:33]}…"
        parts.append(
            f'<text x="{NAMES - 8}" y="{y + 15}" text-anchor="end">{escape(short)}</text>'
            f'<rect x="{NAMES}" y="{y + 3}" width="{width:.1f}" height="{ROW - 6}"><title>{_told(chart, label, value)}</title></rect>'
            f'<text x="{NAMES + width + 6:.1f}" y="{y + 15}">{escape(chart.say(value))}</text>'
        )
    return _drawing(chart, ROW * len(chart.bars), parts)


def _told(chart: Chart, label: str, value: float) -> str:
    return f"{escape(label)}: {escape(chart.say(value))}"


def _drawing(chart: Chart, height: int, parts: Iterable[str]) -> str:
    told = f"{escape(chart.title)}: {', '.join(_told(chart, label, value) for label, value in chart.bars.items() if value)}"
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(chart.title)}"><desc>{told}</desc>{"".join(parts)}</svg>'
