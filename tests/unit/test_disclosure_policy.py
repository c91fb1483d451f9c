"""The policy file says what it must say, and a policy that cannot be carried out is refused."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.disclosure.errors import PolicyError
from pipelines.disclosure.policy import Count, Geography, Relation
from pipelines.disclosure.policy_file import load_policy, parse_policy

PATH = Path(__file__).parents[2] / "data_contracts" / "rules" / "disclosure.yaml"


@pytest.fixture
def content() -> dict[str, Any]:
    """The content of the policy file, to be spoilt."""
    loaded: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return copy.deepcopy(loaded)


def test_the_policy_of_the_project_is_as_decided() -> None:
    policy = load_policy(PATH)
    assert (policy.base, policy.reach[0], policy.unsafe_from, policy.unsafe_to) == (5, 4, 1, 5)
    assert policy.minimum_percentage_base == 20
    assert policy.minimum_width == 4
    assert policy.measures["incidents"].area == "adds"
    assert policy.measures["children"].area == policy.measures["children"].time == "union"


def with_relation(content: dict[str, Any], relation: dict[str, Any]) -> Relation:
    """One more relation, as it is read."""
    content["relations"].append(relation)
    return parse_policy(content).relations[-1]


def test_the_plan_is_the_product_of_each_tables_lists_without_repeats() -> None:
    plan = load_policy(PATH).plan()
    assert plan.filter(measure="incidents", basis="A", period_type="year_to_march").height == 2 * 6
    assert plan.filter(measure="incidents", period_type="month").rows() == [
        ("incidents", "A", "month", "region", "total", "controlled_rounding")
    ]
    assert set(plan.filter(basis="B", period_type="quarter").get_column("measure")) == {
        "rhi_eligible",
        "rhi_offered",
        "rhi_completed",
        "rhi_completed_72h",
        "rhi_declined",
    }
    assert not plan.is_duplicated().any()


@pytest.mark.parametrize(
    ("low", "high", "possible", "protected"),
    [
        (0, 4, 4, True),  # what a printed 0 leaves
        (1, 9, 8, True),  # what a printed 5 leaves
        (2, 6, 8, True),
        (3, 3, 0, False),  # exactly known, even if nothing else was possible
        (1, 5, 8, False),  # wide, but known to be small
        (3, 6, 8, False),  # too narrow
        (0, 2, 2, True),  # all that the relations leave
        (0, 2, 4, False),
    ],
)
def test_the_interval_requirement(low: int, high: int, possible: int, protected: bool) -> None:
    assert load_policy(PATH).protects(low, high, possible) is protected


@pytest.mark.parametrize(
    ("text", "sense", "terms"),
    [
        ("children <= incidents", "at_least_zero", {"incidents": 1, "children": -1}),
        (
            "incidents >= children + 2 children_repeat",
            "at_least_zero",
            {"incidents": 1, "children": -1, "children_repeat": -2},
        ),
        ("incidents - rhi_offered = 2*children", "zero", {"incidents": 1, "rhi_offered": -1, "children": -2}),
        ("incidents needs children", "needs", {"incidents": 1, "children": 1}),
    ],
)
def test_a_relation_is_one_line(content: dict[str, Any], text: str, sense: str, terms: dict[str, int]) -> None:
    relation = with_relation(content, {"fact": text, "because": "a test"})
    assert (relation.sense, {count.measure: factor for count, factor in relation.terms}) == (sense, terms)
    assert not relation.every_breakdown


@pytest.mark.parametrize(
    "text",
    [
        "children",
        "children <= ",
        "children <= incidents <= 3",
        "children < incidents",
        "2 <= children",
        "children <= children",
        "children incidents <= rhi_offered",
        "nobody <= incidents",
        "nobody needs incidents",
        "children needs children",
        "children needs incidents needs rhi_offered",
    ],
)
def test_a_relation_that_says_nothing_is_refused(content: dict[str, Any], text: str) -> None:
    content["relations"] = [{"fact": text, "because": "a test"}]
    with pytest.raises(PolicyError, match="relation"):
        parse_policy(content)


def test_a_published_measure_without_a_declaration_is_refused(content: dict[str, Any]) -> None:
    content["tables"][0]["measures"].append("children_10_and_over")
    with pytest.raises(PolicyError, match="children_10_and_over is not declared"):
        parse_policy(content)


def test_a_published_measure_whose_declaration_is_incomplete_is_refused(content: dict[str, Any]) -> None:
    del content["measures"]["incidents"]["area"]
    with pytest.raises(PolicyError, match=r"measure incidents: missing \['area'\]"):
        parse_policy(content)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("rounding", "base", 1),
        ("rounding", "base", "5"),
        ("rounding", "reach", [5, 9]),
        ("rounding", "reach", [4, 4]),
        ("rounding", "seconds_per_component", "long"),
        ("unsafe", "to", 6),
        ("unsafe", "from", 0),
        ("interval", "minimum_width", 5),
        ("percentages", "minimum_base", None),
    ],
)
def test_numbers_that_cannot_protect_are_refused(
    content: dict[str, Any], section: str, key: str, value: object
) -> None:
    content[section][key] = value
    with pytest.raises(PolicyError, match=section):
        parse_policy(content)


@pytest.mark.parametrize("key", ["period_types", "areas", "breakdowns"])
def test_an_unknown_axis_value_is_refused(content: dict[str, Any], key: str) -> None:
    content["tables"][0][key] = ["fortnight"]
    with pytest.raises(PolicyError, match="fortnight is not declared"):
        parse_policy(content)


def test_a_misspelt_rule_is_refused(content: dict[str, Any]) -> None:
    content["roundng"] = content.pop("rounding")
    with pytest.raises(PolicyError, match=r"missing \['rounding'\], not understood \['roundng'\]"):
        parse_policy(content)


def test_a_method_that_does_not_exist_is_refused(content: dict[str, Any]) -> None:
    content["method"] = "swapping"
    with pytest.raises(PolicyError, match="not available"):
        parse_policy(content)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "bad.yaml")


@pytest.mark.parametrize("boroughs", [(), ("E1", "E1"), ("R",)])
def test_a_region_needs_distinct_boroughs(boroughs: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError, match="borough"):
        Geography("R", boroughs)


def test_a_relation_can_name_one_value_of_a_breakdown(content: dict[str, Any]) -> None:
    fact = "children = children[age_band: 10 to 11] + 2 children[age_band: under 10]"
    relation = with_relation(content, {"fact": fact, "because": "a test"})
    assert dict(relation.terms) == {
        Count("children"): 1,
        Count("children", "age_band", "10 to 11"): -1,
        Count("children", "age_band", "under 10"): -2,
    }
    content["relations"][-1]["at"] = "every_breakdown"
    with pytest.raises(PolicyError, match="names a value"):
        parse_policy(content)
    content["relations"][-1] = {"fact": fact.replace("age_band", "height"), "because": "a test"}
    with pytest.raises(PolicyError, match="breakdown height is not declared"):
        parse_policy(content)


def test_a_relation_across_bases_names_each(content: dict[str, Any]) -> None:
    relation = with_relation(content, {"fact": "A:children <= 2 B:incidents", "areas": ["region"], "because": "a test"})
    assert dict(relation.terms) == {Count("incidents", basis="B"): 2, Count("children", basis="A"): -1}
    assert relation.areas == ("region",)
    content["relations"][-1] = {"fact": "A:children <= incidents", "because": "a test"}
    with pytest.raises(PolicyError, match="basis of every count or of none"):
        parse_policy(content)


def test_a_published_count_that_nothing_ties_to_the_others_is_refused(content: dict[str, Any]) -> None:
    content["relations"] = [one for one in content["relations"] if "second_or_later" not in one["fact"]]
    with pytest.raises(PolicyError, match="nothing relates incidents_second_or_later to the other counts of basis A"):
        parse_policy(content)


def test_overlapping_periods_need_the_months_that_their_differences_give_away(content: dict[str, Any]) -> None:
    (table,) = (one for one in content["tables"] if "rolling_12_months" in one["period_types"])
    table["period_types"] = ["rolling_12_months"]
    with pytest.raises(PolicyError, match="needs month beside it"):
        parse_policy(content)
    table.update(period_types=["month", "rolling_12_months"], measures=["children"])
    with pytest.raises(PolicyError, match="children does not add over time"):
        parse_policy(content)


def test_one_count_has_one_method_and_so_do_counts_that_add_up(content: dict[str, Any]) -> None:
    by_quarter = next(one for one in content["tables"] if one["id"] == "incidents_and_children_by_quarter")
    by_quarter["method"] = "suppression"
    with pytest.raises(PolicyError, match="children on basis A is protected by two methods"):
        parse_policy(content)
    for table in content["tables"]:
        table["method"] = "suppression" if {"incidents", "children"} & {*table["measures"]} else "controlled_rounding"
    with pytest.raises(PolicyError, match="ties counts that are protected by two methods"):
        parse_policy(content)


def test_interviews_can_be_published_by_suppression(content: dict[str, Any]) -> None:
    for table in content["tables"]:
        if table["id"].startswith("return_interviews"):
            table["method"] = "suppression"
    methods = parse_policy(content).plan().group_by("measure").agg("method").rows()
    assert {measure for measure, found in methods if found[0] == "suppression"} >= {"rhi_eligible", "rhi_declined"}


@pytest.mark.parametrize(
    ("count", "largest", "second", "upper"),
    [
        (45, 40, 1, 61),  # 40 of 45 by one child: 20 are lacking, 4 are there
        (45, 20, 10, 40),  # 10 of 20 are lacking, 15 are there
        (30, 20, 0, 30),  # exactly as many as are lacking
        (29, 20, 0, 30),  # one too few
        (9, 9, 0, 14),  # 4.5 are rounded up
    ],
)
def test_what_a_dominated_count_must_be_thought_able_to_be(count: int, largest: int, second: int, upper: int) -> None:
    assert load_policy(PATH).needed_upper(count, largest, second) == upper
