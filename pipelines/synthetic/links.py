"""The decisions, invented like the children, that two pseudonyms are one child: `links.yaml` of a demonstration's home.

Belongs here: which pseudonyms are linked, and the file. Does not: reading it (`intake`), or why a child has two
pseudonyms (`borders`, `police`).
"""

import hashlib
from pathlib import Path

import polars as pl
import yaml

from pipelines.synthetic import borders, police

# A file that begins otherwise holds somebody's decisions and is never overwritten.
MARK = "# Synthetic demonstration:"
HEAD = f"{MARK} invented decisions about invented children.\n"
REASONS = {
    borders.LINKED: "synthetic; the child moved, and the second borough gave a pseudonym of its own",
    police.CASE: "synthetic; the police's number for a child whom the authority knows",
}
LINK = """\
  - id: {link_id}
    pseudonyms:
      - {{borough: {borough}, child_id: {child_id}}}
      - {{borough: {other_borough}, child_id: {other_child_id}}}
    reason: {reason}
    decided_by: synthetic demonstration
    decided_at: 2021-01-01T00:00:00Z
"""


def linked(to_find: pl.DataFrame) -> list[dict[str, str]]:
    """Pairs of pseudonyms that are one child, in the order of their identifiers.

    Args:
        to_find: What must be found, as `patterns.to_find` gives it.

    Returns:
        For each pair link_id, borough, child_id, other_borough, other_child_id and reason.
    """
    pairs = (
        to_find.filter(pl.col("case").is_in(list(REASONS)))
        # The police of two boroughs have a number each for the child; else the two pseudonyms are two boroughs' own.
        .group_by(
            "case", "child", pl.when(pl.col("case") == police.CASE).then("borough").alias("of"), maintain_order=True
        )
        .agg(
            pl.col("borough", "delivered_child_id").first(),
            pl.col("borough", "delivered_child_id").last().name.prefix("other_"),
        )
        .rename({"delivered_child_id": "child_id", "other_delivered_child_id": "other_child_id"})
        .with_columns(pl.col("case").replace_strict(REASONS).alias("reason"))
        .drop("case", "child", "of")
    )
    return sorted(({"link_id": _link_id(**row), **row} for row in pairs.iter_rows(named=True)), key=_by_id)


def _link_id(child_id: str, other_child_id: str, **_: str) -> str:
    """The same for the same pair in every demonstration, so that a home can take in more than one."""
    return f"D-{hashlib.sha256(f'{child_id}|{other_child_id}'.encode()).hexdigest()[:12]}"


def _by_id(link: dict[str, str]) -> str:
    return link["link_id"]


def write_links(path: Path, links: list[dict[str, str]]) -> None:
    """Write the decisions, and keep those of an earlier demonstration in the same home: a decision is never taken back.

    Args:
        path: The file; one that is not a demonstration's is left as it is.
        links: As `linked` gives them.

    Raises:
        FileExistsError: The file holds somebody's decisions.
    """
    earlier = _read(path) if path.exists() else []
    both = {link["link_id"]: link for link in (*earlier, *links)}
    rows = [LINK.format(**link) for link in sorted(both.values(), key=_by_id)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + ("links:\n" + "".join(rows) if rows else "links: []\n"), encoding="utf-8")


def _read(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8")
    if not text.startswith(MARK):
        message = f"{path} is not a demonstration's"
        raise FileExistsError(message)
    return [
        {
            "link_id": link["id"],
            "reason": link["reason"],
            **link["pseudonyms"][0],
            **{f"other_{name}": value for name, value in link["pseudonyms"][1].items()},
        }
        # As text throughout: a pseudonym of digits alone is no number.
        for link in yaml.load(text, Loader=yaml.BaseLoader)["links"]  # noqa: S506 - it makes text, lists and mappings
    ]
