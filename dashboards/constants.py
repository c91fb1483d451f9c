"""The constant words and numbers of pages and contracts, collected from where they are written.

The scan of public files allows a number that is no published value only where one of these texts has it. Collected from
the files themselves (templates, the modules that word and draw, the contracts), so that no list has to be kept up to
date; where a text has a place that is filled in, the words on both sides stay apart. No figure is read here.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from pipelines.contracts.contract import load_contracts
from pipelines.contracts.dictionary import data_dictionary
from pipelines.contracts.indicators import load_indicators
from pipelines.contracts.patterns import load_patterns
from pipelines.contracts.yaml_text import read_yaml
from pipelines.disclosure.policy_file import policy_path
from pipelines.disclosure.scan.wording import HOLE, NUMBER, Wording
from pipelines.home import CONTRACTS
from pipelines.intake.sources import load_sources
from pipelines.uncertainty.rules import load_control_rules, load_funnel_rules

_HERE = Path(__file__).parent
_PIPELINES = _HERE.parent / "pipelines"
# Modules outside this package whose words stand on public pages.
_WORDED = ("contracts/*.py", "history/explanation.py", "intake/judge.py", "intake/keep*.py")
_DRAWN = ("charts.py", "theme.py")
_TAG = re.compile(r"\{\{(.*?)\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_SLOT = re.compile(r"\{(\w*)[^{}]*\}")


@cache
def constant_wording(contracts: Path = CONTRACTS) -> Wording:
    """Collect every constant text and number that a public page may hold."""
    numbers = _named_numbers(contracts)
    texts: set[str] = set()
    for path in sorted((_HERE / "templates").glob("*.j2")):
        texts.update(_template_texts(path.read_text(encoding="utf-8"), numbers))
    sizes: dict[str, set[float]] = defaultdict(set)
    for path in _modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts.update(text for raw in _module_texts(tree, numbers) for text in _filled(raw, numbers))
        if path.name in _DRAWN:
            for name, number in _sizes(tree):
                sizes[name].add(number)
    scalars: set[str] = set()
    for value in _contract_values(contracts):
        if isinstance(value, str):
            texts.add(value)
        scalars.update(NUMBER.findall(str(value)))
    texts.update(_worked_out(contracts))
    return Wording(texts, scalars, sizes)


def _modules() -> Iterator[Path]:
    yield from sorted(_HERE.rglob("*.py"))
    for pattern in _WORDED:
        yield from sorted(_PIPELINES.glob(pattern))


def _named_numbers(contracts: Path) -> Mapping[str, tuple[str, ...]]:
    """What stands in texts under the name of a rule's number: its values."""
    disclosure = read_yaml(policy_path(contracts))
    control, funnel = load_control_rules(contracts), load_funnel_rules(contracts)
    measures = load_indicators(contracts).measures
    days = [part for name in measures if "_in_" in name for part in name.rsplit("_", 1)[-1:]]
    rules = {name: value for rule in (control, funnel) for name, value in vars(rule).items()}
    named: dict[str, tuple[str, ...]] = {
        name: (f"{value:g}",) for name, value in rules.items() if isinstance(value, int | float)
    }
    for name, value in rules.items():
        if isinstance(value, float) and value < 1:
            named[name] = (*named[name], f"{value * 100:.0f}%", f"{value * 100:.1f}%", f"{value * 100:g}")
    return named | {
        "base": (str(disclosure["rounding"]["base"]),),
        "minimum_percentage_base": (str(disclosure["percentages"]["minimum_base"]),),
        "months": (str(control.fewest_months),),
        "days": tuple(days),
    }


def _worked_out(contracts: Path) -> Iterator[str]:
    """What pages work out of contracts alone: ids of rules, names of measures, and how long contracts are."""
    yield from (pattern.rule_id for pattern in load_patterns(contracts))
    yield from (f"{HOLE}{name.replace('_', ' ')}{HOLE}" for name in load_indicators(contracts).measures)
    yield from (f"{HOLE}, mapping {source.version}{HOLE}" for source in load_sources(contracts).values())
    for contract in load_contracts(contracts).values():
        columns = data_dictionary(contract)
        rules = sum(len(column.rules) for column in columns)
        yield f"{HOLE}, contract version {contract.version}: {len(columns)} columns, {rules} rules."


class _Texts(HTMLParser):
    """The pieces of text and the attributes of a template, cut as the scan cuts those of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.found += [value for _, value in attrs if value]


def _template_texts(source: str, numbers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    def fill(match: re.Match[str]) -> str:
        said = match.group(1) or ""
        known = next((name for name in numbers if re.search(rf"\b{name}\b", said)), "")
        return f"{{{known}}}" if known else HOLE

    # Quotation marks inside a tag would end the attribute that it stands in.
    reader = _Texts()
    reader.feed(_TAG.sub(fill, source))
    reader.close()
    for text in reader.found:
        yield from _filled(text, numbers)


def _module_texts(tree: ast.AST, numbers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Text literals but for docstrings, with a named place for each part of them that is worked out."""
    nodes = list(ast.walk(tree))
    apart = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    apart |= {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(_part(part, numbers) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value


def _part(part: ast.expr, numbers: Mapping[str, tuple[str, ...]]) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value).replace("{", " ").replace("}", " ")
    inner = part.value if isinstance(part, ast.FormattedValue) else part
    name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""
    return f"{{{name}}}" if name in numbers else HOLE


def _filled(text: str, numbers: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """A text with its named places filled in, once for each value; other places stay holes."""
    names = list(dict.fromkeys(name for name in _SLOT.findall(text) if name in numbers))
    longest = max((len(numbers[name]) for name in names), default=1)
    for place in range(longest):
        chosen = {name: numbers[name][min(place, len(numbers[name]) - 1)] for name in names}
        yield _SLOT.sub(lambda match, chosen=chosen: chosen.get(match.group(1), HOLE), text)  # type: ignore[misc]


def _sizes(tree: ast.AST) -> Iterator[tuple[str, float]]:
    """Numbers in the value of a key or of a named argument, with its name; of heights, those of a row besides."""
    for node in ast.walk(tree):
        pairs = [(node.arg, node.value)] if isinstance(node, ast.keyword) and node.arg else []
        if isinstance(node, ast.Dict):
            keys = [str(key.value) if isinstance(key, ast.Constant) else "" for key in node.keys]
            pairs = list(zip(keys, node.values, strict=True))
        for name, value in pairs:
            yield from ((name, number) for number in _literals(value))


def _literals(node: ast.expr) -> Iterator[float]:
    if isinstance(node, ast.Dict):
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from (-number for number in _literals(node.operand))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield float(node.value)
    else:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                yield from _literals(part)


def _contract_values(contracts: Path) -> Iterator[Any]:
    for path in sorted(contracts.rglob("*.yaml")):
        yield from _scalars(read_yaml(path))


def _scalars(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        for key, part in node.items():
            yield from (str(key), *_scalars(part))
    elif isinstance(node, list):
        for part in node:
            yield from _scalars(part)
    elif node is not None and not isinstance(node, bool):
        yield node
