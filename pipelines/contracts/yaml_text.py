"""Reading YAML, by safe loaders only. What the content means, and which keys it may have, belongs with its reader.

The loader written in C takes a seventh of the time of the one in Python, but words its errors otherwise and is not on
every machine. So a text that it refuses is read once more in Python: what is said of a mistake is the same everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_QUICK: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


class _KeysOnce(yaml.constructor.SafeConstructor):
    """YAML in which a key may stand once; the usual loader takes the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != _MERGE]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(problem=f"the key {key} stands twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


class _SlowOnce(_KeysOnce, yaml.SafeLoader):
    """As `_KeysOnce` says, in Python."""


_QUICK_ONCE: type[yaml.SafeLoader] = type("_QuickOnce", (_KeysOnce, _QUICK), {})


def read_yaml(path: Path, *, keys_once: bool = False) -> Any:
    """Return the content of a file in UTF-8.

    Args:
        path: the file.
        keys_once: whether a key that stands twice in a mapping is a mistake.

    Raises:
        OSError, UnicodeDecodeError: the file cannot be read.
        yaml.YAMLError: it is not YAML.
    """
    return parse_yaml(path.read_text(encoding="utf-8"), keys_once=keys_once)


def parse_yaml(text: str, *, keys_once: bool = False) -> Any:
    """Return the content of a text; see `read_yaml`."""
    quick, slow = (_QUICK_ONCE, _SlowOnce) if keys_once else (_QUICK, yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=quick)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError:
        return yaml.load(text, Loader=slow)  # noqa: S506 - as above
