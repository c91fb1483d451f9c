"""Jobs and when they start: monthly, the day after deliveries are expected, and whenever landing changes."""

import hashlib
import json
from pathlib import Path

import dagster as dg

from pipelines.assets.house import House
from pipelines.assets.intake import RECEIVED
from pipelines.contracts.contract import load_contracts
from pipelines.region import load_region

everything = dg.define_asset_job(
    "everything",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="From landing to pages, all boroughs.",
)

intake = dg.define_asset_job(
    "intake",
    selection=dg.AssetSelection.assets(RECEIVED),
    executor_def=dg.in_process_executor,
    description="Landing to accepted rows, for chosen boroughs.",
)

regional = dg.define_asset_job(
    "regional",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(RECEIVED),
    executor_def=dg.in_process_executor,
    description="From accepted rows to pages.",
)

_DAY = load_contracts()["missing_episode"].expected_day + 1


def all_boroughs() -> dict[str, str]:
    """Run tags that select every borough's partition in one run."""
    slugs = load_region().slugs
    return {"dagster/asset_partition_range_start": slugs[0], "dagster/asset_partition_range_end": slugs[-1]}


@dg.schedule(
    job=everything,
    cron_schedule=f"0 6 {_DAY} * *",
    execution_timezone="Europe/London",
    description=f"At six on day {_DAY} of each month, the day after deliveries are expected.",
)
def monthly() -> dg.RunRequest:
    """Run everything for all boroughs."""
    return dg.RunRequest(tags=all_boroughs())


@dg.sensor(job=everything, minimum_interval_seconds=60, description="Starts a run when the files in landing change.")
def landing(context: dg.SensorEvaluationContext, house: House) -> dg.SensorResult | dg.SkipReason:
    """Run when the set of files in landing changes, by content.

    The run key is a digest of checksums, so touching a file does not start a run and the same files start one run
    only. A file whose size or time changed since the last look is left to settle until the next.
    """
    before: dict[str, list[str]] = json.loads(context.cursor or "{}")
    now = {path: _state(Path(path), before.get(path)) for path in _files(house.home.landing)}
    if not now:
        return dg.SkipReason("Landing is empty.")
    cursor = json.dumps(now, sort_keys=True)
    checksums = sorted(checksum for _, checksum in now.values())
    if not all(checksums):
        return dg.SensorResult(skip_reason="A file is new or changing; waiting for it to settle.", cursor=cursor)
    run_key = hashlib.sha256("|".join(checksums).encode()).hexdigest()
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key, tags=all_boroughs())], cursor=cursor)


def _files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.glob("*/*") if path.is_file() and not path.name.startswith((".", "~$")))


def _state(path: Path, before: list[str] | None) -> list[str]:
    """Size-and-time stamp and checksum; the checksum is blank until the stamp has stayed the same for one look."""
    stat = path.stat()
    stamp = f"{stat.st_size}:{stat.st_mtime_ns}"
    if before is None or before[0] != stamp:
        return [stamp, ""]
    return [stamp, before[1] or hashlib.sha256(path.read_bytes()).hexdigest()]
