"""Templates to HTML: one environment, every value escaped, every missing name an error.

What a page holds is decided in `pages/`; files are written in `site`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboards import charts, words

TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """Fills templates with a page and what all pages share."""

    def __init__(self, **shared: Any) -> None:
        """Take the values that every template may use."""
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        # The JSON is made safe for a script element by `serialise`; escaping it as HTML would break it.
        self._environment.filters["chart_json"] = lambda chart: Markup(charts.serialise(chart))  # noqa: S704 - see above
        self._environment.filters["number"] = words.number
        self._environment.filters["clock"] = words.clock
        self._environment.filters["month"] = words.month
        self._environment.globals.update(shared)

    def page(self, template: str, **values: Any) -> str:
        """Render one page."""
        return self._environment.get_template(template).render(**values)
