"""YAML means the same by the quick loader and by the one in Python, and a mistake is told in the same words."""

from __future__ import annotations

import runpy

import pytest
import yaml

from pipelines.contracts import yaml_text
from pipelines.contracts.yaml_text import parse_yaml, read_yaml
from pipelines.home import CONTRACTS

MISTAKES = {
    "never closed": "a: [1, 2",
    "a colon too many": "rules:\n  - {id: a: b}",
    "a tab": "a:\n\tb: 1",
    "no such anchor": "a: &x 1\nb: *y",
    "a character of no text": "a: \x07",
    "a list in a mapping": "a: 1\n- b",
    "python": "a: !!python/object/apply:os.getcwd []",
}


@pytest.mark.parametrize("keys_once", [False, True])
def test_every_file_of_the_contracts_means_what_it_does_in_python(keys_once: bool) -> None:
    paths = sorted(CONTRACTS.rglob("*.yaml"))
    assert len(paths) > 30
    for path in paths:
        assert read_yaml(path, keys_once=keys_once) == yaml.safe_load(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("keys_once", [False, True])
def test_a_mistake_is_told_in_the_words_of_the_loader_in_python(text: str, keys_once: bool) -> None:
    with pytest.raises(yaml.YAMLError) as expected:
        yaml.safe_load(text)
    with pytest.raises(yaml.YAMLError) as told:
        parse_yaml(text, keys_once=keys_once)
    assert (type(told.value), str(told.value)) == (type(expected.value), str(expected.value))


def test_a_key_that_stands_twice_is_a_mistake_where_that_is_asked_and_a_merged_one_is_none() -> None:
    twice = "one: 1\npart:\n  sex: a\n  sex: b\n"
    assert parse_yaml(twice)["part"] == {"sex": "b"}
    with pytest.raises(yaml.MarkedYAMLError) as told:
        parse_yaml(twice, keys_once=True)
    assert told.value.problem == "the key sex stands twice"
    assert told.value.problem_mark is not None
    assert told.value.problem_mark.line == 2
    merged = "first: &base {sex: a}\nsecond: {<<: *base, age: 1}\n"
    assert parse_yaml(merged, keys_once=True)["second"] == {"sex": "a", "age": 1}


def test_a_machine_without_the_loader_in_c_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    alone = runpy.run_path(yaml_text.__file__)
    text = (CONTRACTS / "rules" / "episodes.yaml").read_text(encoding="utf-8")
    assert alone["parse_yaml"](text) == parse_yaml(text)
    with pytest.raises(yaml.MarkedYAMLError):
        alone["parse_yaml"]("a: 1\na: 2", keys_once=True)
