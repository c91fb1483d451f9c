"""Templates to HTML: one environment, every value escaped, every missing name an error.

What a page holds is decided in `pages/`; files are written in `site`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dashboards import charts, words

_COMMAND = re.compile("`(mfh [a-z -]+)`")
TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """The environment of every page and of the feedback: escaping on, a name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["number"] = words.number
    made.filters["measure_name"] = words.measure_name
    made.filters["note_kind"] = words.note_kind
    made.filters["listed"] = words.listed
    made.filters["with_commands"] = with_commands
    return made


def with_commands(text: str) -> Markup:
    """Set commands, which messages write between backticks, as code. Everything is escaped first."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped on this line


class Renderer:
    """Fills templates with a page and what all pages share."""

    def __init__(self, **shared: Any) -> None:
        """Take the values that every template may use."""
        self._environment = environment()
        # The JSON is made safe for a script element by `serialise`; escaping it as HTML would break it.
        self._environment.filters["chart_json"] = lambda chart: Markup(charts.serialise(chart))  # noqa: S704 - see above
        self._environment.globals.update(shared)

    def page(self, template: str, **values: Any) -> str:
        """Render one page."""
        return self._environment.get_template(template).render(**values)
