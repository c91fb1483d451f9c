"""The rounding key is private, strong, made once, and recognised without being shown."""

from pathlib import Path

import pytest

from pipelines.disclosure.errors import RoundingKeyError
from pipelines.disclosure.key import KEY_FILE_VARIABLE, RoundingKey, create_key, read_key


def test_a_new_key_is_private_and_reads_back(tmp_path: Path) -> None:
    made = create_key(tmp_path / "vault" / "key")
    assert (tmp_path / "vault" / "key").stat().st_mode & 0o777 == 0o600
    assert read_key(tmp_path / "vault" / "key") == made
    assert create_key(tmp_path / "other").secret != made.secret


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    made = create_key(tmp_path / "key")
    with pytest.raises(RoundingKeyError, match="cannot be made"):
        create_key(tmp_path / "key")
    assert read_key(tmp_path / "key") == made


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_key(tmp_path / "key")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "key"))
    assert read_key() == made


def test_without_a_key_nothing_is_rounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)
    with pytest.raises(RoundingKeyError, match=KEY_FILE_VARIABLE):
        read_key()
    with pytest.raises(RoundingKeyError, match="cannot be read"):
        read_key(tmp_path / "none")


@pytest.mark.parametrize("text", ["ab" * 31, "", "not hexadecimal at all", "ab" * 32 + "q"])
def test_a_weak_or_broken_key_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text, encoding="ascii")
    with pytest.raises(RoundingKeyError) as refusal:
        read_key(tmp_path / "key")
    assert not text or text not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_key_does_not_show_itself() -> None:
    key = RoundingKey(bytes(range(32)))
    shown = f"{key} {key!r} {key.fingerprint}"
    assert key.secret.hex()[:16] not in shown
    assert str(key.secret)[2:20] not in shown


def test_the_fingerprint_tells_keys_apart() -> None:
    one, other = RoundingKey(bytes(32)), RoundingKey(bytes(31) + b"\x01")
    assert one.fingerprint == RoundingKey(bytes(32)).fingerprint
    assert one.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 16
