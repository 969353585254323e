"""Tables of the report, and what else its sections have in common."""

from __future__ import annotations

from collections.abc import Iterable

from muslin.dist.markup import Markup, element

LONGEST = 400
"""Characters of a text that somebody else wrote."""


def framed(caption: str, head: Iterable[str], bodies: Iterable[str]) -> Markup:
    """A table that scrolls by itself where the window is narrow."""
    numbers = ("Size", "Started", "Took", "Objects", "Code")
    titles = (
        element("th", title, scope="col", **({"class_": "number"} if title in numbers else {}))
        for title in head
    )
    table = element(
        "table", element("caption", caption), element("thead", element("tr", titles)), bodies
    )
    return scrolled(caption, table)


def scrolled(label: str, content: Markup) -> Markup:
    """A region that the keyboard reaches, and can scroll."""
    return element("div", content, class_="scroll", role="group", aria_label=label, tabindex=0)


def listing(texts: Iterable[str]) -> Markup:
    """Texts, one below the other."""
    return element("ul", (element("li", text) for text in texts), class_="plain")


def nothing(session: str) -> Markup:
    """What stands where there is nothing to show, with the session that changes it."""
    return element("p", "Nothing yet: the session ", element("code", session), " makes it.")


def left_over(count: int, most: int) -> str:
    """What a caption says of rows that are not shown."""
    return f" (the first {most} of {count}; the reports have all)" if count > most else ""


def short(text: str) -> str:
    """A text that somebody else wrote, cut where it is very long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
