"""The instance of a run in this process logs what Dagster's own would, where Dagster's own reads it."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from pipelines.automation.instance import EventLog, open_instance


@dg.asset(check_specs=[dg.AssetCheckSpec("whether", asset="made")])
def made() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)])


@dg.asset(deps=[made])
def missing() -> None:
    raise ValueError


JOB = dg.Definitions(assets=[made, missing]).resolve_implicit_global_asset_job_def()


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """Dagster's own instance of the folder."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return dg.DagsterInstance.get()


def logged(instance: dg.DagsterInstance, run_id: str) -> list[tuple[str | None, str | None]]:
    return [
        (entry.step_key, entry.dagster_event.event_type_value if entry.dagster_event else None)
        for entry in instance.all_logs(run_id)
    ]


def test_two_runs_are_logged_as_by_dagster_itself_and_read_by_it(tmp_path: Path, usual: dg.DagsterInstance) -> None:
    expected = JOB.execute_in_process(instance=usual, raise_on_error=False).run_id
    for _ in range(2):
        with open_instance(str(tmp_path)) as instance:
            assert isinstance(instance.event_log_storage, EventLog)
            run_id = JOB.execute_in_process(instance=instance, raise_on_error=False).run_id
            assert [of_step for of_step, _ in logged(instance, run_id)].count("missing") > 1
        assert logged(usual, run_id) == logged(usual, expected)
        (record,) = usual.get_asset_records([dg.AssetKey("made")])
        assert record.asset_entry.last_run_id == run_id
        assert not list(tmp_path.rglob("*.db-wal"))


def test_a_storage_that_dagster_yaml_names_is_kept(tmp_path: Path, usual: dg.DagsterInstance) -> None:
    (tmp_path / "dagster.yaml").write_text(f"storage: {{sqlite: {{base_dir: {tmp_path / 'elsewhere'}}}}}")
    with open_instance(str(tmp_path)) as instance:
        assert type(instance.event_log_storage) is type(usual.event_log_storage)
