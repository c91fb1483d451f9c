"""`mfh up`: Dagster's web server and daemon, on this machine only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.commands.run import prepare_dagster_home
from pipelines.home import PROJECT_ROOT, Home


def start(home: Home, port: int) -> None:
    """Replace this process by `dagster dev`, bound to 127.0.0.1."""
    prepare_dagster_home(home)
    os.environ["MFH_HOME"] = str(home.root)
    dagster = str(Path(sys.executable).with_name("dagster"))
    arguments = ["dev", "--module-name", "pipelines.definitions", "--host", "127.0.0.1", "--port", str(port)]
    os.chdir(PROJECT_ROOT)
    os.execv(dagster, [dagster, *arguments])  # noqa: S606 - our own executable beside this interpreter
