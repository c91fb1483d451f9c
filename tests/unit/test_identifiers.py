"""Direct identifiers are recognised by header and by the shape of cells; look-alikes do not raise the alarm.

Check digits are computed here from their published definitions, not with the library that the code uses. All seeds are
fixed, so a rate measured here is always the same.
"""

import io
import random
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import yaml

from pipelines.contracts.contract import load_contracts
from pipelines.home import CONTRACTS
from pipelines.intake.identifiers import IdentifierFinding, find_identifiers
from pipelines.intake.read import read_table
from pipelines.intake.sources import header_test, load_sources, recognise
from pipelines.synthetic.demonstration import write_demonstration
from tests.intake_data import CHILD, cells_of

POLICY = yaml.safe_load((CONTRACTS / "rules" / "identifiers.yaml").read_text(encoding="utf-8"))

HEADERS = {
    "identifier.name": [
        "Name",
        "FORENAME",
        "Fore names",
        "first_name",
        "Child Name",
        "ChildName",
        "Person_Forename",
        "FULLNAME",
        "Surname",
        "full-name",
        "last.name",
        "Surname 1",
        "Child's name",
        "Name of child",
        "Known as",
        "Alias",
        "Parent Name(s)",
        "Social worker name",
        "Name (young person)",
        "Next of kin",
    ],
    "identifier.date_of_birth": [
        "DOB",
        "D.O.B.",
        "Date of Birth",
        "DateOfBirth",
        "birth_date",
        "child_dob",
        "BIRTH_DTTM",
        "born",
        "MC_DOB",
        "DOB (dd/mm/yyyy)",
        "dob_2",
    ],
    "identifier.nhs_number": ["NHS", "NHS No.", "NHS_No", "nhs_number", "Child NHS Number", "NHS number (child)"],
    "identifier.upn": ["UPN", "former_upn", "Unique Pupil Number", "ULN", "Unique Learner Number"],
    "identifier.national_insurance": ["NINO", "NI Number", "NI No.", "National Insurance No", "Nat Ins No"],
    "identifier.postcode": [
        "Postcode",
        "POST_CODE",
        "Home Postcode",
        "full postcode",
        "PL_POST",
        "HOME_POST",
        "Postcode missing from",
    ],
    "identifier.address": ["Address", "Address Line 1", "street", "Home Address", "UPRN", "found_address", "Address 2"],
    "identifier.phone": [
        "Mobile",
        "Home Phone",
        "Tel No",
        "Tel.",
        "carer telephone number",
        "mobile_no",
        "contact details",
        "Contact number",
    ],
    "identifier.email": ["Email", "E-mail", "carer email address", "E-MAIL ADDRESS", "Email of carer"],
    "identifier.free_text": [
        "Notes",
        "case notes",
        "Case notes",
        "Comments",
        "Narrative",
        "circumstances",
        "Free Text",
        "Any other information",
        "Further details",
        "Description",
        "Summary of incident",
        "Details of interview",
    ],
}
HARMLESS_HEADERS = [
    "name_of_setting_code",
    "postcode_district",
    "outward postcode",
    "team",
    "telephone_calls_made",
    "nhs_trust",
    "source",
    "LA name",
    "team_name",
    "username",
    "address_type",
    "Contact type",
    "outcome",
    "risk level",
    "Child",
    "child" * 400,
    "missinginterview" * 400,
]


def _nhs_number(rng: random.Random) -> str:
    """Nine digits and the modulus 11 check digit (NHS data dictionary)."""
    while True:
        digits = [rng.randrange(10) for _ in range(9)]
        check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return "".join(map(str, [*digits, check % 11]))


def _passes(text: str) -> bool:
    check = 11 - sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return check != 10 and check % 11 == int(text[9])


def _not_an_nhs_number(rng: random.Random) -> str:
    number = _nhs_number(rng)
    return number[:9] + str((int(number[9]) + 1) % 10)


_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def _upn(rng: random.Random, authority: str = "940", *, temporary: bool = False) -> str:
    """A check letter, an authority, nine digits or eight and a letter; weights 2 to 13, modulus 23 (DfE)."""
    rest = authority + _digits(rng, 8) + (rng.choice(_UPN_LETTERS) if temporary else _digits(rng, 1))
    values = [int(sign) if sign.isdigit() else _UPN_LETTERS.index(sign) for sign in rest]
    return _UPN_LETTERS[sum(v * w for v, w in zip(values, range(2, 14), strict=True)) % 23] + rest


def _not_a_upn(rng: random.Random) -> str:
    number = _upn(rng)
    return _UPN_LETTERS[(_UPN_LETTERS.index(number[0]) + 1) % 23] + number[1:]


def _letters(rng: random.Random, many: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(rng.choices(alphabet, k=many))


def _digits(rng: random.Random, many: int) -> str:
    return _letters(rng, many, string.digits)


def _word(rng: random.Random, most: int = 7) -> str:
    return "".join(rng.choice("bdfgklmnprstv") + rng.choice("aeiou") for _ in range(rng.randrange(2, most // 2 + 1)))


def _sentence(rng: random.Random, words: int) -> str:
    return " ".join(_word(rng) for _ in range(words))


def _postcode(rng: random.Random) -> str:
    return f"M{rng.randrange(1, 50)} {rng.randrange(10)}{_letters(rng, 2, 'ABDEFGHJLNPQRSTUWXYZ')}"


VALUES: dict[str, Callable[[random.Random], str]] = {
    "identifier.nhs_number": _nhs_number,
    "identifier.upn": _upn,
    "identifier.national_insurance": lambda rng: f"AB {_digits(rng, 2)} {_digits(rng, 2)} {_digits(rng, 2)} C",
    "identifier.postcode": _postcode,
    "identifier.address": lambda rng: f"{rng.randrange(1, 200)} {_word(rng).title()} Road",
    "identifier.email": lambda rng: f"{_word(rng)}@example.org",
    "identifier.phone": lambda rng: f"07{_digits(rng, 3)} {_digits(rng, 6)}",
    "identifier.name": lambda rng: f"{_word(rng).title()} O'Brien",
    "identifier.free_text": lambda rng: _sentence(rng, 8),
}
# Share of filled cells at which there is no alarm yet, fewest cells of an alarm, a cell that takes part in the share
# without being an identifier. The first two are thresholds of the policy, written out on purpose.
LIMITS: dict[str, tuple[float, int, Callable[[random.Random], str]]] = {
    "identifier.nhs_number": (0.3, 20, _not_an_nhs_number),
    "identifier.upn": (0.3, 10, _not_a_upn),
    "identifier.national_insurance": (0.2, 3, lambda _: "plain"),
    "identifier.postcode": (0.2, 3, lambda _: "plain"),
    "identifier.address": (0.2, 3, lambda _: "plain"),
    "identifier.email": (0.0, 1, lambda _: "plain"),
    "identifier.phone": (0.3, 10, lambda _: "plain"),
    "identifier.name": (0.3, 5, lambda _: "plain"),
    "identifier.free_text": (0.2, 5, lambda _: "plain"),
}
ANY_RULE = pytest.mark.parametrize("rule_id", VALUES)


def _found(cells: pl.DataFrame, **given: object) -> list[tuple[str, int]]:
    return [(f.rule_id, f.column_index) for f in find_identifiers(cells, **given)]  # type: ignore[arg-type]


def _column(make: Callable[[random.Random], str], rows: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)  # noqa: S311 - made-up cells, not keys
    return [make(rng) for _ in range(rows)]


def _mixed(*parts: list[str] | list[str | None]) -> list[str | None]:
    cells: list[str | None] = [cell for part in parts for cell in part]
    random.Random(3).shuffle(cells)  # noqa: S311 - as above
    return cells


# --- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule_id", "header"), [(rule, h) for rule, headers in HEADERS.items() for h in headers])
def test_header_gives_an_identifier_away_whatever_the_cells(rule_id: str, header: str) -> None:
    assert _found(pl.DataFrame({"status": ["x"], header: [None]}, schema_overrides={header: pl.String})) == [
        (rule_id, 1)
    ]


def test_every_rule_of_the_policy_is_tried() -> None:
    assert set(HEADERS) == set(POLICY["headers"])
    assert set(VALUES) == set(LIMITS) == {rule["rule"] for rule in POLICY["values"]}


def test_every_rule_has_words_for_people() -> None:
    rules = {rule["rule"] for rule in POLICY["values"]}
    rules |= {rule for section in ("headers", "birth_dates", "birth_serials", "pseudonym") for rule in POLICY[section]}
    assert rules == set(POLICY["messages"]) == set(POLICY["remedies"])


def test_headers_of_our_own_layouts_and_harmless_ones_raise_no_alarm() -> None:
    known = {name for contract in load_contracts().values() for name in contract.columns}
    known |= {name.casefold() for source in load_sources().values() for name in source.known_columns}
    names = sorted(known | set(HARMLESS_HEADERS))
    assert len(names) > 60
    assert _found(pl.DataFrame({name: [None] for name in names}, schema=dict.fromkeys(names, pl.String))) == []


# --- cells -----------------------------------------------------------------------------------------------------------


@ANY_RULE
def test_cells_give_an_identifier_away_under_any_header(rule_id: str) -> None:
    assert _found(cells_of(other=["x"] * 60, column=_column(VALUES[rule_id], 60))) == [(rule_id, 1)]


@ANY_RULE
def test_cells_give_an_identifier_away_in_a_date_column_and_among_pseudonyms(rule_id: str) -> None:
    cells = cells_of(started_at=_column(VALUES[rule_id], 100), CHILD=_mixed([CHILD] * 60, _column(VALUES[rule_id], 40)))
    assert _found(cells, date_columns=["started_at"], child_columns=["CHILD"]) == [(rule_id, 0), (rule_id, 1)]


@ANY_RULE
def test_blank_cells_do_not_hide_an_identifier(rule_id: str) -> None:
    for blank in (60, 4000):
        cells = _mixed(_column(VALUES[rule_id], 40), [None] * blank)
        assert _found(cells_of(column=cells)) == [(rule_id, 0)]


@ANY_RULE
def test_other_values_do_not_hide_an_identifier_in_two_fifths_of_the_cells(rule_id: str) -> None:
    cells = _mixed(_column(VALUES[rule_id], 80), _column(lambda rng: f"GMP-{_digits(rng, 6)}", 120))
    assert _found(cells_of(column=cells)) == [(rule_id, 0)]


@ANY_RULE
def test_a_share_of_identifiers_at_the_threshold_is_no_alarm_and_above_it_is(rule_id: str) -> None:
    share, _, other = LIMITS[rule_id]
    rows = 200
    for identifiers, alarms in ((round(share * rows), []), (round(share * rows) + 1, [(rule_id, 0)])):
        cells = _mixed(_column(VALUES[rule_id], identifiers), _column(other, rows - identifiers, 2))
        assert _found(cells_of(column=cells)) == alarms


@ANY_RULE
def test_fewer_than_the_least_number_is_no_alarm(rule_id: str) -> None:
    _, least, _ = LIMITS[rule_id]
    assert _found(cells_of(column=_column(VALUES[rule_id], least - 1))) == []
    assert _found(cells_of(column=_column(VALUES[rule_id], least))) == [(rule_id, 0)]


def test_a_share_is_of_the_ten_digit_values_and_not_of_all_cells() -> None:
    cells = _mixed(_column(_nhs_number, 20), ["plain"] * 5000)
    assert _found(cells_of(column=cells)) == [("identifier.nhs_number", 0)]


@pytest.mark.parametrize(("children", "alarms"), [(4, []), (5, [("identifier.nhs_number", 0)])])
def test_the_same_few_numbers_again_and_again_are_told_from_chance(children: int, alarms: list[object]) -> None:
    assert _found(cells_of(column=_column(_nhs_number, children) * 10)) == alarms


@pytest.mark.parametrize(
    ("header", "cells", "alarms"),
    [
        ("NHS_REF", ["9434765919", "9434765918"], True),
        ("NHS_REF", ["9434765918"], False),
        ("Child NHS ref", ["943 476 5919", None, "none"], True),
        ("REF", ["9434765919"], False),
    ],
)
def test_one_valid_number_is_enough_under_a_header_that_says_nhs(
    header: str, cells: list[str | None], alarms: bool
) -> None:
    expected = [("identifier.nhs_number", 0)] if alarms else []
    assert _found(pl.DataFrame({header: cells}, schema={header: pl.String})) == expected


def _spaced(mark: str) -> Callable[[random.Random], str]:
    def make(rng: random.Random) -> str:
        number = _nhs_number(rng)
        return mark.join((number[:3], number[3:6], number[6:]))

    return make


def _names(form: str) -> Callable[[random.Random], str]:
    def make(rng: random.Random) -> str:
        return form.format(a=_word(rng).title(), b=_word(rng).title())

    return make


FORMS: list[tuple[str, str, Callable[[random.Random], str]]] = [
    ("identifier.nhs_number", "with spaces", _spaced(" ")),
    ("identifier.nhs_number", "with hyphens", _spaced("-")),
    ("identifier.nhs_number", "from a number cell", lambda rng: _nhs_number(rng) + ".0"),
    ("identifier.nhs_number", "with its name", lambda rng: "NHS: " + _nhs_number(rng)),
    ("identifier.nhs_number", "padded", lambda rng: f" {_nhs_number(rng)}\u00a0"),
    ("identifier.upn", "lower case", lambda rng: _upn(rng).lower()),
    ("identifier.upn", "temporary", lambda rng: _upn(rng, temporary=True)),
    ("identifier.upn", "authority since 2019", lambda rng: _upn(rng, "838")),
    ("identifier.upn", "authority that never was", lambda rng: _upn(rng, "999")),
    ("identifier.national_insurance", "with its name, lower case", lambda rng: f"NI ab {_digits(rng, 2)} 34 56 c"),
    ("identifier.national_insurance", "in one piece", lambda rng: f"JG{_digits(rng, 6)}D"),
    ("identifier.postcode", "lower case", lambda rng: _postcode(rng).lower()),
    ("identifier.postcode", "without its space", lambda rng: _postcode(rng).replace(" ", "")),
    ("identifier.postcode", "London", lambda rng: f"SW1A {rng.randrange(10)}AA"),
    ("identifier.address", "with a postcode", lambda rng: f"The Old Mill, Anytown, {_postcode(rng)}"),
    ("identifier.address", "flat, upper case", lambda rng: f"FLAT {rng.randrange(9)}, {_word(rng).upper()} COURT"),
    ("identifier.email", "upper case", lambda rng: f"{_word(rng).upper()}@EXAMPLE.ORG"),
    ("identifier.email", "in a text", lambda rng: f"see {_word(rng)}@example.org"),
    ("identifier.phone", "+44", lambda rng: f"+44 7700 {_digits(rng, 6)}"),
    ("identifier.phone", "+44 (0)", lambda rng: f"+44 (0)161 496 {_digits(rng, 4)}"),
    ("identifier.phone", "0044 in brackets", lambda rng: f"(0044) 161-496-{_digits(rng, 4)}"),
    ("identifier.phone", "(0161)", lambda rng: f"(0161) 496 {_digits(rng, 4)}"),
    ("identifier.phone", "a number cell", lambda rng: f"447700{_digits(rng, 6)}.0"),
    ("identifier.phone", "in one piece", lambda rng: f"07700{_digits(rng, 6)}"),
    ("identifier.name", "SMITH, JOHN", lambda rng: _names("{a}, {b}")(rng).upper()),
    ("identifier.name", "Smith,John", _names("{a},{b}")),
    ("identifier.name", "john smith", lambda rng: _names("{a} {b}")(rng).lower()),
    ("identifier.name", "O'BRIEN Mary-Jane", _names("O'BRIEN {a}-{b}")),
    ("identifier.name", "typographic apostrophe", _names("O\u2019Brien, {a}")),
    ("identifier.name", "three words", _names("{a} van {b}")),
    ("identifier.name", "several people", _names("{a} Smith; {b} Smith")),
    ("identifier.name", "title and initial", _names("Mr. J {b}")),
    ("identifier.name", "accents", _names("Zoë {b}é")),
    (
        "identifier.free_text",
        "with dates in it",
        lambda rng: f"{_sentence(rng, 3)} 12/03/2025 10:30 {_sentence(rng, 3)}",
    ),
    ("identifier.free_text", "several lines", lambda rng: f"{_sentence(rng, 4)}\n{_sentence(rng, 4)}"),
]


@pytest.mark.parametrize(("rule_id", "form", "make"), FORMS, ids=[f"{rule} {form}" for rule, form, _ in FORMS])
def test_an_identifier_is_recognised_in_every_way_people_write_it(
    rule_id: str, form: str, make: Callable[[random.Random], str]
) -> None:
    assert _found(cells_of(column=_column(make, 40)), date_columns=[form]) == [(rule_id, 0)]


@pytest.mark.parametrize("prefix", ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ", "QQ", "DA"])
def test_prefixes_that_no_national_insurance_number_has_raise_no_alarm(prefix: str) -> None:
    assert _found(cells_of(column=_column(lambda rng: f"{prefix}{_digits(rng, 6)}A", 100))) == []


def test_one_long_note_among_thousands_of_codes_is_free_text() -> None:
    note = _sentence(random.Random(1), 15)  # noqa: S311 - as above
    assert _found(cells_of(column=["x"] * 5000 + [note])) == [("identifier.free_text", 0)]
    assert _found(cells_of(column=["x"] * 5000 + [note.rsplit(" ", 1)[0]])) == []


# --- labels and codes ------------------------------------------------------------------------------------------------

LABELS = {
    "settings": [
        "Children's Home",
        "Foster Care",
        "Own Home",
        "Supported Lodgings Placement",
        "Secure Unit",
        "Hospital",
    ],
    "found by": [
        "Own Accord",
        "Social Worker",
        "Police Officer",
        "Family Member",
        "Care Staff",
        "Member of the public",
    ],
    "status": [
        "Missing Episode",
        "Away from placement without authorisation",
        "Unauthorised Absence",
        "No longer missing",
    ],
    "ethnicity": ["White British", "Black Caribbean", "Any other mixed background", "White and Asian", "Not known"],
    "risk": ["no apparent risk", "Low Risk", "MEDIUM RISK", "high risk", "Very high risk", "not assessed"],
    "few unlisted": [
        "Purple Giraffe",
        "Wooden Spoon",
        "Paper Lantern",
        "Silver Kettle",
        "Copper Button",
        "Velvet Chair",
    ],
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
@pytest.mark.parametrize("rows", [200, 5000])
def test_labels_of_codes_are_not_names(labels: list[str], rows: int) -> None:
    assert _found(cells_of(column=_column(lambda rng: rng.choice(labels), rows))) == []


@pytest.mark.parametrize(
    ("people", "rows", "alarms"), [(1, 10, True), (1, 11, False), (20, 200, True), (19, 200, False), (50, 5000, True)]
)
def test_names_differ_and_labels_repeat(people: int, rows: int, alarms: bool) -> None:
    names = [f"{_word(random.Random(i), 13).title()} Smith{'aeiou'[i % 5]}" for i in range(people)]  # noqa: S311 - as above
    assert len(set(names)) == people
    cells = [names[i % people] for i in range(rows)]
    assert _found(cells_of(column=cells)) == ([("identifier.name", 0)] if alarms else [])


def test_codes_that_the_layout_knows_are_not_names_alone_or_in_a_list() -> None:
    known = ["purple giraffe", "silver kettle", "copper button", "velvet chair", "wooden spoon"]
    alone = [*known, "Purple Giraffe", "VELVET CHAIR"]
    listed = ["Copper Button; velvet chair", "wooden spoon|silver kettle", "purple giraffe, copper button"]
    cells = cells_of(Reason=[*alone, *listed])
    assert _found(cells) == [("identifier.name", 0)]
    assert _found(cells, coded_columns={"reason": known}) == []
    assert _found(cells, coded_columns={"other": known}) == [("identifier.name", 0)]


def test_a_coded_column_that_is_used_for_notes_is_free_text_all_the_same() -> None:
    known = ["missing from home without any word to anybody", "away"]
    labels = known * 20
    assert _found(cells_of(status=labels), coded_columns={"status": known}) == []
    notes = _column(VALUES["identifier.free_text"], 40)
    assert _found(cells_of(status=_mixed(labels, notes)), coded_columns={"status": known}) == [
        ("identifier.free_text", 0)
    ]


# --- false alarms ----------------------------------------------------------------------------------------------------


def test_random_ten_digit_ids_pass_the_check_one_time_in_eleven() -> None:
    ids = _column(lambda rng: str(rng.randrange(10**9, 10**10)), 20_000)
    assert 0.085 < sum(map(_passes, ids)) / len(ids) < 0.097


@pytest.mark.parametrize(("rows", "columns", "most"), [(20, 500, 2), (100, 200, 0), (1000, 25, 0), (10_000, 4, 0)])
def test_columns_of_random_ten_digit_ids_raise_hardly_an_alarm(rows: int, columns: int, most: int) -> None:
    ids = {f"c{seed}": _column(lambda rng: str(rng.randrange(10**9, 10**10)), rows, seed) for seed in range(columns)}
    assert len(_found(cells_of(**ids))) <= most


@pytest.mark.parametrize("rows", [20, 100, 1000, 10_000])
@pytest.mark.parametrize("step", [1, 7, 11, 60, 3600, 86_400])
def test_unix_timestamps_and_running_numbers_raise_no_alarm(step: int, rows: int) -> None:
    assert _found(cells_of(stamp=[str(1_700_000_000 + i * step) for i in range(rows)])) == []


@pytest.mark.parametrize("seed", range(10))
def test_random_upn_shapes_raise_no_alarm(seed: int) -> None:
    assert _found(cells_of(column=_column(lambda rng: _letters(rng, 1) + _digits(rng, 12), 500, seed))) == []


LOOK_ALIKES: dict[str, Callable[[random.Random], str]] = {
    "64 hexadecimal": lambda rng: _letters(rng, 64, "0123456789abcdef"),
    "64 digits": lambda rng: _digits(rng, 64),
    "UUID": lambda rng: f"{_letters(rng, 8, 'abcdef')}-{_digits(rng, 4)}-4{_digits(rng, 3)}-{_digits(rng, 12)}",
    "police reference": lambda rng: f"GMP-2025-{_digits(rng, 6)}",
    "police incident": lambda rng: f"{rng.randrange(1, 4000)}-{rng.randrange(1, 29):02}{rng.randrange(1, 13):02}25",
    "crime number": lambda rng: f"06{_letters(rng, 2)}/{_digits(rng, 5)}/25",
    "dated episode id": lambda rng: f"EP-202511{rng.randrange(1, 30):02}-{_digits(rng, 3)}",
    "dated number": lambda rng: f"202511{rng.randrange(1, 30):02}{_digits(rng, 2)}",
    "dated longer number": lambda rng: f"202511{rng.randrange(1, 30):02}{_digits(rng, 4)}",
    "ONS code": lambda rng: f"E0800000{rng.randrange(10)}",
    "Ofsted URN": lambda rng: f"SC{_digits(rng, 6)}",
    "instant": lambda rng: f"2025-11-{rng.randrange(10, 29)}T1{rng.randrange(10)}:30",
    "code": lambda rng: rng.choice(["no_apparent_risk", "M", "A", "Yes", "NA"]),
    "list of codes": lambda rng: ";".join(rng.sample(["conflict_at_home", "bullying", "friends", "gangs"], 2)),
    "postcode district": lambda rng: f"M{rng.randrange(1, 50)}",
    "distance": lambda rng: f"{rng.random() * 60:.1f}",
    "short number": lambda rng: _digits(rng, 7),
    "five digits": lambda rng: str(rng.randrange(10_000, 100_000)),
    "eight digits": lambda rng: str(rng.randrange(10**7, 10**8)),
    "age": lambda rng: str(rng.randrange(5, 18)),
    "one name": lambda rng: _word(rng).title(),
}


@pytest.mark.parametrize("make", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
@pytest.mark.parametrize("rows", [20, 300, 3000])
def test_what_only_looks_like_an_identifier_raises_no_alarm(make: Callable[[random.Random], str], rows: int) -> None:
    cells = cells_of(started_at=["2025-11-03"] * rows, column=_column(make, rows))
    assert _found(cells, date_columns=["started_at"]) == []


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    out = tmp_path_factory.mktemp("demonstration") / "landing"
    write_demonstration(
        out, seed=5, contracts=CONTRACTS, scale=0.3, first_month=date(2025, 1, 1), last_month=date(2025, 3, 1)
    )
    return [path for path in sorted(out.rglob("*")) if path.is_file()]


def test_no_demonstration_delivery_raises_an_alarm(deliveries: list[Path]) -> None:
    tables = 0
    for path in deliveries:
        borough = path.parent.name
        table = read_table(path.name, path.read_bytes(), header_test(CONTRACTS, borough))
        source = recognise(table.header, CONTRACTS, borough)
        found = find_identifiers(
            table.frame,
            child_columns=source.child_cells(table.header),
            date_columns=source.date_cells(table.header),
            coded_columns=source.coded_cells(table.header),
            others=table.others,
        )
        assert found == [], path.name
        tables += table.frame.height > 0
    assert tables > 20


# --- dates of birth --------------------------------------------------------------------------------------------------

DATES = {
    "day first": "%d/06/%Y",
    "day first, short year": "%d.06.%y",
    "ISO": "%Y-06-%d",
    "instant": "%Y-06-%d 00:00:00",
    "day, month, year": "%d-Jun-%Y",
    "month in full": "%d June %Y",
    "short year": "%d-JUN-%y",
    "American words": "June %d, %Y",
    "eight digits": "%Y06%d",
    "eight digits, a number cell": "%Y06%d.0",
}
STARTED = ["2025-06-15", "15/06/2025", "15-Jun-25", "45823", "45823.5", "2025-06-15T10:30"]


def _dates(form: str, year: int, rows: int = 20) -> list[str]:
    return [date(year, 6, i % 28 + 1).strftime(form) for i in range(rows)]


@pytest.mark.parametrize("form", DATES.values(), ids=DATES.keys())
@pytest.mark.parametrize(("year", "alarms"), [(2010, True), (2022, True), (2023, False), (2025, False)])
def test_dates_years_before_the_episodes_are_dates_of_birth(form: str, year: int, alarms: bool) -> None:
    cells = cells_of(started_at=_dates("%Y-06-%d", 2025), seen=_dates(form, year))
    expected = [("identifier.date_of_birth", 1)] if alarms else []
    assert _found(cells, date_columns=["started_at"]) == expected


@pytest.mark.parametrize("started", STARTED)
def test_the_year_of_the_episodes_is_read_however_they_are_dated(started: str) -> None:
    cells = cells_of(started_at=[started] * 20, then=_dates("%d/06/%Y", 2022), now=_dates("%d/06/%Y", 2023))
    assert _found(cells, date_columns=["started_at"]) == [("identifier.date_of_birth", 1)]


@pytest.mark.parametrize("form", ["%Y-06-%d", "%d/06/%Y", "%d-Jun-%y"])
def test_dates_the_layout_declares_are_not_dates_of_birth_however_old(form: str) -> None:
    cells = cells_of(started_at=_dates("%Y-06-%d", 2025), cse_flag_date=_dates(form, 2010))
    assert _found(cells, date_columns=["started_at", "cse_flag_date"]) == []


@pytest.mark.parametrize(("old", "alarms"), [(4, False), (5, True)])
def test_a_few_old_dates_are_no_alarm(old: int, alarms: bool) -> None:
    seen = [*_dates("%Y-06-%d", 2010, old), *[None] * (20 - old)]
    found = _found(cells_of(started_at=_dates("%Y-06-%d", 2025), seen=seen), date_columns=["started_at"])
    assert bool(found) is alarms


def _serial(day: date) -> str:
    return str((day - date(1899, 12, 30)).days)


def _birth_serial(rng: random.Random) -> str:
    return _serial(date(2009, 1, 1) + timedelta(days=rng.randrange(6 * 365)))


def test_the_day_number_of_excel_is_the_one_that_excel_shows() -> None:
    assert _serial(date(2009, 3, 12)) == "39884"


SERIALS: dict[str, tuple[list[str], bool]] = {
    "births": (_column(_birth_serial, 60), True),
    "births from number cells": ([f"{serial}.0" for serial in _column(_birth_serial, 60)], True),
    "ten births": (_column(_birth_serial, 10), True),
    "nine births": (_column(_birth_serial, 9), False),
    "recent days": (_column(lambda rng: str(45_600 + rng.randrange(300)), 60), False),
    "running numbers": ([str(39_000 + 20 * i) for i in range(200)], False),
    "numbers of one year": (_column(lambda rng: str(39_000 + rng.randrange(200)), 200), False),
    "random numbers": (_column(lambda rng: str(rng.randrange(10_000, 100_000)), 200), False),
    "day numbers of adults": (_column(lambda rng: str(25_000 + rng.randrange(6000)), 60), False),
}


@pytest.mark.parametrize(("cells", "alarms"), SERIALS.values(), ids=SERIALS.keys())
def test_dates_of_birth_as_day_numbers_are_told_from_five_digit_ids(cells: list[str], alarms: bool) -> None:
    table = cells_of(started_at=["03/11/2025"] * len(cells), local=cells)
    expected = [("identifier.date_of_birth", 1)] if alarms else []
    assert _found(table, date_columns=["started_at"]) == expected
    assert _found(table, date_columns=["started_at", "local"]) == []


# --- children --------------------------------------------------------------------------------------------------------


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


# --- any kind of file ------------------------------------------------------------------------------------------------


def _workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_numbers_and_dates_of_a_workbook_are_recognised() -> None:
    numbers = [int(number) for number in _column(_nhs_number, 30) if number[0] != "0"]
    births = [datetime(2009, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=97 * i) for i in range(30)]
    rows: list[list[object]] = [["MIS_START", "ref", "seen"]]
    rows += [["03/11/2025", number, birth] for number, birth in zip(numbers, births, strict=False)]
    table = read_table("a.xlsx", _workbook({"data": rows}))
    assert _found(table.frame, date_columns=["MIS_START"]) == [
        ("identifier.nhs_number", 1),
        ("identifier.date_of_birth", 2),
    ]


def test_integer_and_date_columns_of_a_parquet_file_are_recognised() -> None:
    frame = pl.DataFrame(
        {
            "MIS_START": [date(2025, 11, 3)] * 30,
            "ref": [int(number) for number in _column(_nhs_number, 30)],
            "seen": [date(2009, 1, 1) + timedelta(days=97 * i) for i in range(30)],
        }
    )
    out = io.BytesIO()
    frame.filter(pl.col("ref") >= 10**9).write_parquet(out)
    table = read_table("a.parquet", out.getvalue())
    assert _found(table.frame, date_columns=["MIS_START"]) == [
        ("identifier.nhs_number", 1),
        ("identifier.date_of_birth", 2),
    ]


def test_other_sheets_are_judged_by_their_cells_and_named() -> None:
    table = cells_of(started_at=["2025-11-03"] * 30)
    children = cells_of(
        B=["x"] * 30, C=["NHS no", *_column(_nhs_number, 29)], AB=["born", *_dates("%d/06/%Y", 2010, 29)]
    )
    found = find_identifiers(table, date_columns=["started_at"], others=[cells_of(A=["x"]), children])
    assert [(f.rule_id, f.letter, f.where) for f in found] == [
        ("identifier.nhs_number", "C", "another sheet"),
        ("identifier.date_of_birth", "AB", "another sheet"),
    ]
    assert found[0].message == (
        "Another sheet, column C, holds NHS numbers in 29 of its 30 filled cells. Take the column out."
    )


def test_a_sheet_that_explains_is_not_free_text() -> None:
    explanation = cells_of(A=_column(VALUES["identifier.free_text"], 20), B=_column(lambda r: _sentence(r, 30), 20))
    assert find_identifiers(cells_of(started_at=["2025-11-03"]), others=[explanation]) == []


# --- exceptions ------------------------------------------------------------------------------------------------------


@ANY_RULE
def test_an_exception_silences_one_rule_in_one_column(rule_id: str) -> None:
    values = _column(VALUES[rule_id], 60)
    cells = cells_of(Ref=values, other=values)
    assert _found(cells, exceptions=[("ref", rule_id)]) == [(rule_id, 1)]
    assert _found(cells, exceptions=[("ref", "identifier.not_pseudonymised")]) == [(rule_id, 0), (rule_id, 1)]


def test_an_excepted_column_is_still_judged_by_the_other_rules() -> None:
    cells = cells_of(Ref=_mixed(_column(_nhs_number, 40), _column(VALUES["identifier.email"], 40)))
    assert _found(cells, exceptions=[("ref", "identifier.email")]) == [("identifier.nhs_number", 0)]


EXCEPTABLE = {
    "identifier.postcode",
    "identifier.address",
    "identifier.phone",
    "identifier.email",
    "identifier.free_text",
}


@pytest.mark.parametrize("rule_id", HEADERS)
def test_what_a_header_calls_an_identifier_of_a_person_is_never_excepted(rule_id: str) -> None:
    header = HEADERS[rule_id][0]
    cells = pl.DataFrame({header: ["x"]})
    expected = [] if rule_id in EXCEPTABLE else [(rule_id, 0)]
    assert _found(cells, exceptions=[(header.casefold(), rule_id)]) == expected


def test_children_without_pseudonyms_are_never_excepted() -> None:
    rule_id = "identifier.not_pseudonymised"
    cells = cells_of(CHILD=["510000"] * 3)
    assert _found(cells, child_columns=["CHILD"], exceptions=[("child", rule_id)]) == [(rule_id, 0)]


# --- what people read ------------------------------------------------------------------------------------------------


def test_findings_are_one_a_column_in_header_order_and_hold_no_cell() -> None:
    cells = cells_of(
        CHILD=["510000"] * 30,
        Surname=_column(VALUES["identifier.name"], 30),
        ok=["x"] * 30,
        ref=[None, *_column(_nhs_number, 29)],
    )
    found = find_identifiers(
        cells, child_columns=["CHILD"], first_column=1, row_numbers=pl.Series(range(4, 34), dtype=pl.Int64)
    )
    assert [(f.rule_id, f.column_index, f.letter) for f in found] == [
        ("identifier.not_pseudonymised", 1, "B"),
        ("identifier.name", 2, "C"),
        ("identifier.nhs_number", 4, "E"),
    ]
    assert [f.message for f in found] == [
        (
            "Column B (CHILD) holds the borough's own child identifiers instead of pseudonyms. "
            "Run `mfh pseudonymise` on the extract and send its output."
        ),
        "Column C (Surname) holds names of people. Take the column out.",
        "Column E (ref) holds NHS numbers in 29 of its 29 filled cells, first in row 5. Take the column out.",
    ]


@pytest.mark.parametrize("header", ["Case\nnotes", "Name " + "(of the child) " * 30])
def test_a_header_of_several_lines_or_without_end_stays_one_short_sentence(header: str) -> None:
    (found,) = find_identifiers(pl.DataFrame({header: ["x"]}))
    assert isinstance(found, IdentifierFinding)
    assert "\n" not in found.message
    assert len(found.message) < 200
