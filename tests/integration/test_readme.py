"""The README's commands, run one after the other as a reader would, on a small demonstration."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.home import PROJECT_ROOT
from tests.integration.home import fresh_shell

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPECTED_CODE = re.compile(r"#\s*exits (\d)\s*$", re.MULTILINE)
SMALL = "--scale 0.03 --from 2022-04 --to 2023-03"


def blocks() -> list[str]:
    return BLOCK.findall((PROJECT_ROOT / "README.md").read_text(encoding="utf-8"))


def run_block(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block in a shell that stops at the first surprise."""
    shell = fresh_shell()
    environment = shell | {
        "PATH": f"{Path(sys.executable).parent}:{shell['PATH']}",
        "MFH_HOME": str(folder / "data"),
        "DEMO": SMALL,
    }
    return subprocess.run(
        ["bash", "-e", "-c", block], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader has typed `make run` (the checkout's own, on a small demonstration)."""
    folder = tmp_path_factory.mktemp("reader")
    assert blocks()[0].splitlines() == ["make run", "make test"]
    ran = run_block(f"make --no-print-directory -C {PROJECT_ROOT} run", folder)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().splitlines()[-1] == str(folder / "data" / "site" / "index.html")
    return folder


def test_every_command_does_what_the_readme_says(reader: Path) -> None:
    for block in blocks()[1:]:
        expected = [int(code) for code in EXPECTED_CODE.findall(block)]
        ran = run_block(block, reader)
        assert ran.returncode == (expected[-1] if expected else 0), block + ran.stderr
        assert "Traceback" not in ran.stderr


def test_the_readmes_files_and_folders_exist(reader: Path) -> None:
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([^)#]+)\)", text):
        assert (PROJECT_ROOT / path).exists(), path
    for path in re.findall(r"`(data/[\w./-]+)`", text):
        assert (reader / path).exists(), path


def test_make_run_twice_installs_nothing_the_second_time(reader: Path) -> None:
    planned = run_block(f"make --no-print-directory -n -C {PROJECT_ROOT} env", reader)
    assert "pip" not in planned.stdout
