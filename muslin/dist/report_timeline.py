"""The time line of the report: which stage ran when in the last run that had something to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muslin.dist.markup import Markup, element, joined
from muslin.dist.report_table import framed, left_over, nothing, scrolled
from muslin.dist.timeline import Span, Timeline
from muslin.engine.console import duration

MOST_SPANS = 150
"""Stages that are shown, the longest."""
OUTCOMES = ("built", "checked", "found", "failed", "stopped")
"""In the order of the legend; each is a class of the style sheet."""


def section(timeline: Timeline) -> Markup:
    """The run as a picture, and as a table for who does not see it."""
    if not timeline.spans:
        return nothing("build-all")
    whole = max(span.began + span.seconds for span in timeline.spans)
    longest = sorted(timeline.spans, key=lambda span: span.seconds, reverse=True)[:MOST_SPANS]
    shown = sorted(longest, key=lambda span: (span.began, span.stage))
    began = timeline.time[:16].replace("T", " ")
    words = (
        f"The last run with something to do: {began} UTC, {duration(whole)}, "
        f"{len(timeline.spans)} stages" + left_over(len(timeline.spans), MOST_SPANS)
    )
    rows = (
        element(
            "tr",
            element("th", span.stage, scope="row"),
            element("td", span.outcome),
            element("td", duration(span.began), class_="number"),
            element("td", duration(span.seconds), class_="number"),
        )
        for span in shown
    )
    table = framed("Stages", ("Stage", "Outcome", "Started", "Took"), [element("tbody", rows)])
    return joined(
        (
            element("p", words),
            element("p", _legend(shown), class_="legend"),
            scrolled("Time line of the run", _drawn(shown, whole)),
            element("details", element("summary", "The same as a table"), table),
        )
    )


def _legend(spans: Sequence[Span]) -> Iterator[Markup]:
    """What the colours of the bars mean."""
    for outcome in OUTCOMES:
        if any(span.outcome == outcome for span in spans):
            swatch = element(
                "svg",
                element("rect", width=12, height=12, rx=2, class_=outcome),
                viewBox="0 0 12 12",
                class_="swatch",
                aria_hidden="true",
            )
            yield element("span", swatch, f" {outcome}")


def _drawn(spans: Sequence[Span], whole: float) -> Markup:
    """The stages as bars, one below the other."""
    left, width, row = 230, 900, 18
    height = row * (len(spans) + 1) + 8
    scale = (width - left - 70) / max(whole, 0.01)
    ticks = joined(
        joined(
            (
                element("line", x1=x, x2=x, y1=row, y2=height),
                element("text", duration(whole * part / 4), x=x + 3, y=row - 5, class_="tick"),
            )
        )
        for part in range(5)
        for x in (round(left + whole * part / 4 * scale),)
    )
    bars = joined(
        joined(
            (
                element("text", span.stage[:36], x=left - 8, y=y + 13, text_anchor="end"),
                element(
                    "rect",
                    element("title", f"{span.stage}: {span.outcome}, {duration(span.seconds)}"),
                    x=f"{left + span.began * scale:.1f}",
                    y=y + 3,
                    width=f"{max(span.seconds * scale, 1.5):.1f}",
                    height=row - 6,
                    rx=2,
                    class_=span.outcome if span.outcome in OUTCOMES else "found",
                ),
            )
        )
        for at, span in enumerate(spans)
        for y in (row * (at + 1),)
    )
    label = f"{len(spans)} stages of the run over {duration(whole)}"
    return element(
        "svg", ticks, bars, viewBox=f"0 0 {width} {height}", role="img", aria_label=label
    )
