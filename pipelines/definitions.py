"""The Dagster entry point, and the only module that sees everything.

Assembly only: assets, checks and schedules live elsewhere.
"""

from __future__ import annotations

import dagster as dg

from pipelines.assets.history import flag_history
from pipelines.assets.house import House
from pipelines.assets.intake import delivered_tables, received, reference_tables
from pipelines.assets.publication import READ_BY_PUBLISH, published_tables, site, snapshot
from pipelines.assets.recurrence import recurrence_tables
from pipelines.assets.tables import table_assets
from pipelines.assets.uncertainty import published_uncertainty, restricted_uncertainty
from pipelines.automation.schedule import everything, intake, landing, monthly, regional
from pipelines.checks.grid import every_borough_month_was_received
from pipelines.checks.tables import table_checks
from pipelines.history.filing import HISTORY_TABLES, tables_compared
from pipelines.home import Home
from pipelines.progress import quiet_logger
from pipelines.recurrence.tables import READ_BY_RECURRENCE, RECURRENCE_TABLES
from pipelines.release.publish import PUBLISHED_TABLES
from pipelines.uncertainty import tables as uncertainty

# Tables that Python makes between those of `sql/`, and what each is made of.
MADE_BY_PYTHON = {
    **dict.fromkeys(HISTORY_TABLES, tables_compared()),
    **dict.fromkeys(RECURRENCE_TABLES, READ_BY_RECURRENCE),
    **dict.fromkeys(PUBLISHED_TABLES, READ_BY_PUBLISH),
    **dict.fromkeys(uncertainty.PUBLIC_TABLES, uncertainty.READ_BY_PUBLIC),
    **dict.fromkeys(uncertainty.RESTRICTED_TABLES, uncertainty.READ_BY_RESTRICTED),
}


def build_defs(*, house: House | None = None) -> dg.Definitions:
    """Assemble fresh definitions.

    Args:
        house: where and for when to run; the home of the environment by default.
    """
    return dg.Definitions(
        assets=[
            received,
            delivered_tables,
            reference_tables,
            *table_assets(made_by_python=MADE_BY_PYTHON),
            recurrence_tables,
            flag_history,
            published_tables,
            published_uncertainty,
            restricted_uncertainty,
            snapshot,
            site,
        ],
        asset_checks=[*table_checks(), every_borough_month_was_received],
        jobs=[everything, intake, regional],
        schedules=[monthly],
        sensors=[landing],
        resources={"house": house or House(root=str(Home.resolve().root))},
        executor=dg.in_process_executor,
        loggers={"console": quiet_logger},
    )


defs = build_defs()
