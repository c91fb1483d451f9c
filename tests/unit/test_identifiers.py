"""Direct identifiers are recognised by header and by the shape of cells; look-alikes do not raise the alarm.

Check digits are computed here from their published definitions, not with the library that the code uses.
"""

import random
import string
from collections.abc import Callable

import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.home import CONTRACTS
from pipelines.intake.identifiers import IdentifierFinding, find_identifiers
from pipelines.intake.sources import load_sources
from tests.intake_data import CHILD, cells_of

POLICY = yaml.safe_load((CONTRACTS / "rules" / "identifiers.yaml").read_text(encoding="utf-8"))

HEADERS = {
    "identifier.name": [
        "Name",
        "FORENAME",
        "Fore names",
        "first_name",
        "Child Name",
        "Surname",
        "full-name",
        "last.name",
    ],
    "identifier.date_of_birth": ["DOB", "Date of Birth", "child_dob", "BIRTH_DTTM", "born"],
    "identifier.nhs_number": ["NHS", "NHS No.", "nhs_number", "Child NHS Number"],
    "identifier.upn": ["UPN", "former_upn", "Unique Pupil Number"],
    "identifier.national_insurance": ["NINO", "NI Number", "National Insurance No"],
    "identifier.postcode": ["Postcode", "POST_CODE", "Home Postcode", "full postcode"],
    "identifier.address": ["Address", "Address Line 1", "street", "Home Address", "UPRN", "found_address"],
    "identifier.phone": ["Mobile", "Home Phone", "Tel No", "carer telephone number"],
    "identifier.email": ["Email", "E-mail", "carer email address"],
    "identifier.free_text": ["Notes", "case notes", "Comments", "Narrative", "circumstances", "Free Text"],
}
HARMLESS_HEADERS = ["name_of_setting_code", "postcode_district", "team", "telephone_calls_made", "nhs_trust", "source"]


def _nhs_number(rng: random.Random) -> str:
    """Nine digits and the modulus 11 check digit (NHS data dictionary)."""
    while True:
        digits = [rng.randrange(10) for _ in range(9)]
        check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return "".join(map(str, [*digits, check % 11]))


def _upn(rng: random.Random) -> str:
    """A check letter and twelve digits, weights 2 to 13, modulus 23 (DfE's UPN guide)."""
    digits = [rng.randrange(10) for _ in range(12)]
    rest = sum(digit * weight for digit, weight in zip(digits, range(2, 14), strict=True)) % 23
    return "ABCDEFGHJKLMNPQRTUVWXYZ"[rest] + "".join(map(str, digits))


def _letters(rng: random.Random, many: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(rng.choices(alphabet, k=many))


def _digits(rng: random.Random, many: int) -> str:
    return _letters(rng, many, string.digits)


VALUES: dict[str, Callable[[random.Random], str]] = {
    "identifier.nhs_number": _nhs_number,
    "identifier.upn": _upn,
    "identifier.national_insurance": lambda rng: f"AB {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)} C",
    "identifier.postcode": lambda rng: f"M{rng.randrange(1, 50)} {rng.randrange(10)}{_letters(rng, 2)}",
    "identifier.email": lambda rng: f"{_letters(rng, 6)}@example.org",
    "identifier.phone": lambda rng: f"07{_digits(rng, 3)} {_digits(rng, 6)}",
    "identifier.name": lambda rng: f"{_letters(rng, 1)}{_letters(rng, 4, 'aeiou')} O'Brien",
}


def _found(cells: pl.DataFrame, **given: list[str]) -> list[tuple[str, int]]:
    return [(f.rule_id, f.column_index) for f in find_identifiers(cells, **given)]  # type: ignore[arg-type]


def _column(make: Callable[[random.Random], str], rows: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)  # noqa: S311 - made-up cells, not keys
    return [make(rng) for _ in range(rows)]


@pytest.mark.parametrize(("rule_id", "header"), [(rule, h) for rule, headers in HEADERS.items() for h in headers])
def test_header_gives_an_identifier_away_whatever_the_cells(rule_id: str, header: str) -> None:
    assert _found(pl.DataFrame({"status": ["x"], header: [None]}, schema_overrides={header: pl.String})) == [
        (rule_id, 1)
    ]


def test_every_header_rule_of_the_policy_is_tried() -> None:
    assert set(HEADERS) == set(POLICY["headers"])
    assert set(VALUES) == set(POLICY["values"])


def test_headers_of_our_own_layouts_and_harmless_ones_raise_no_alarm() -> None:
    known = {name for contract in load_contracts().values() for name in contract.columns}
    known |= {name.casefold() for source in load_sources().values() for name in source.known_columns}
    names = sorted(known | set(HARMLESS_HEADERS))
    assert len(names) > 60
    assert _found(pl.DataFrame({name: [None] for name in names}, schema=dict.fromkeys(names, pl.String))) == []


@pytest.mark.parametrize("rule_id", VALUES)
def test_cells_give_an_identifier_away_under_any_header(rule_id: str) -> None:
    assert _found(cells_of(other=["x"] * 60, column=_column(VALUES[rule_id], 60))) == [(rule_id, 1)]


@pytest.mark.parametrize("rule_id", VALUES)
def test_blank_cells_do_not_hide_an_identifier(rule_id: str) -> None:
    cells = [*_column(VALUES[rule_id], 40), *[None] * 4000]
    assert _found(cells_of(column=cells)) == [(rule_id, 0)]


@pytest.mark.parametrize("rule_id", VALUES)
def test_a_share_of_identifiers_at_the_threshold_is_no_alarm_and_above_it_is(rule_id: str) -> None:
    rule = POLICY["values"][rule_id]
    rows = 200
    for identifiers, alarms in ((round(rule["share"] * rows), []), (round(rule["share"] * rows) + 1, [(rule_id, 0)])):
        cells = _column(VALUES[rule_id], identifiers) + ["plain"] * (rows - identifiers)
        assert _found(cells_of(column=cells)) == alarms


@pytest.mark.parametrize("rule_id", VALUES)
def test_fewer_than_the_least_number_is_no_alarm(rule_id: str) -> None:
    least = POLICY["values"][rule_id]["at_least"]
    assert _found(cells_of(column=_column(VALUES[rule_id], least - 1))) == []
    assert _found(cells_of(column=_column(VALUES[rule_id], least))) == [(rule_id, 0)]


def test_nhs_numbers_are_recognised_with_spaces_and_hyphens() -> None:
    plain = _column(_nhs_number, 40)
    for mark in (" ", "-"):
        assert _found(cells_of(column=[mark.join((n[:3], n[3:6], n[6:])) for n in plain])) == [
            ("identifier.nhs_number", 0)
        ]


def _passes(text: str) -> bool:
    check = 11 - sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(text[9])


@pytest.mark.parametrize("seed", range(25))
def test_random_ten_digit_ids_pass_the_check_one_time_in_eleven_and_raise_no_alarm(seed: int) -> None:
    ids = _column(lambda rng: str(rng.randrange(10**9, 10**10)), 1000, seed)
    assert 0.06 < sum(map(_passes, ids)) / len(ids) < 0.13
    assert _found(cells_of(column=ids)) == []


@pytest.mark.parametrize("seed", range(10))
def test_random_upn_shapes_raise_no_alarm(seed: int) -> None:
    assert _found(cells_of(column=_column(lambda rng: _letters(rng, 1) + _digits(rng, 12), 500, seed))) == []


@pytest.mark.parametrize("step", [1, 7, 3600, 86_400])
def test_unix_timestamps_and_running_numbers_raise_no_alarm(step: int) -> None:
    assert _found(cells_of(stamp=[str(1_700_000_000 + i * step) for i in range(1000)])) == []


LOOK_ALIKES: dict[str, Callable[[random.Random], str]] = {
    "64 hexadecimal": lambda rng: _letters(rng, 64, "0123456789abcdef"),
    "64 digits": lambda rng: _digits(rng, 64),
    "UUID": lambda rng: f"{_letters(rng, 8, 'abcdef')}-{_digits(rng, 4)}-4{_digits(rng, 3)}-{_digits(rng, 12)}",
    "police reference": lambda rng: f"GMP-2025-{_digits(rng, 6)}",
    "ONS code": lambda rng: f"E0800000{rng.randrange(10)}",
    "instant": lambda rng: f"2025-11-{rng.randrange(10, 29)}T1{rng.randrange(10)}:30",
    "code": lambda rng: rng.choice(["no_apparent_risk", "M", "A", "Yes", "NA"]),
    "postcode district": lambda rng: f"M{rng.randrange(1, 50)}",
    "short number": lambda rng: _digits(rng, 7),
}


@pytest.mark.parametrize("make", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_what_only_looks_like_an_identifier_raises_no_alarm(make: Callable[[random.Random], str]) -> None:
    cells = cells_of(started_at=["2025-11-03"] * 300, column=_column(make, 300))
    assert _found(cells, date_columns=["started_at"]) == []


DATES = {"day first": "{day:02}/06/{year}", "ISO": "{year}-06-{day:02}", "instant": "{year}-06-{day:02} 00:00:00"}


def _dates(form: str, year: int, rows: int = 20) -> list[str]:
    return [form.format(day=i % 28 + 1, year=year) for i in range(rows)]


@pytest.mark.parametrize("form", DATES.values(), ids=DATES.keys())
@pytest.mark.parametrize(("year", "alarms"), [(2010, True), (2022, True), (2023, False), (2025, False)])
def test_dates_years_before_the_episodes_are_dates_of_birth(form: str, year: int, alarms: bool) -> None:
    cells = cells_of(started_at=_dates(form, 2025), seen=_dates(form, year))
    expected = [("identifier.date_of_birth", 1)] if alarms else []
    assert _found(cells, date_columns=["started_at"]) == expected


def test_dates_the_layout_declares_are_not_dates_of_birth_however_old() -> None:
    cells = cells_of(started_at=_dates(DATES["ISO"], 2025), cse_flag_date=_dates(DATES["ISO"], 2010))
    assert _found(cells, date_columns=["started_at", "cse_flag_date"]) == []


def test_a_few_old_dates_are_no_alarm() -> None:
    seen = [*_dates(DATES["ISO"], 2010, 4), *[None] * 16]
    assert _found(cells_of(started_at=_dates(DATES["ISO"], 2025), seen=seen), date_columns=["started_at"]) == []


@pytest.mark.parametrize(
    ("cells", "alarms"),
    [
        ([CHILD] * 3, False),
        ([CHILD.upper()] * 3, False),
        ([CHILD, CHILD, "510000"], False),
        ([CHILD, "510000"], True),
        (["510000"], True),
        ([CHILD[:-1]] * 3, True),
        ([None, None], False),
    ],
)
def test_a_child_column_without_pseudonyms_was_never_pseudonymised(cells: list[str | None], alarms: bool) -> None:
    expected = [("identifier.not_pseudonymised", 0)] if alarms else []
    assert _found(cells_of(CHILD=cells), child_columns=["CHILD"]) == expected


def test_findings_are_one_a_column_in_header_order_and_hold_no_cell() -> None:
    cells = cells_of(
        CHILD=["510000"] * 30,
        Surname=_column(VALUES["identifier.name"], 30),
        ok=["x"] * 30,
        ref=_column(_nhs_number, 30),
    )
    found = find_identifiers(cells, child_columns=["CHILD"])
    assert found == [
        IdentifierFinding(
            "identifier.not_pseudonymised", 0, "CHILD", POLICY["messages"]["identifier.not_pseudonymised"]
        ),
        IdentifierFinding("identifier.name", 1, "Surname", "holds names of people"),
        IdentifierFinding("identifier.nhs_number", 3, "ref", "holds NHS numbers"),
    ]
    assert found[2].sentence == "Column D (ref) holds NHS numbers"


def test_every_rule_has_words_for_people() -> None:
    sections = ("headers", "values", "birth_dates", "pseudonym")
    assert {rule for section in sections for rule in POLICY[section]} == set(POLICY["messages"])
