"""Showing people how far a run is: one line per finished step, on standard error. No value of a cell comes near it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_step_listeners: list[Callable[[str, str], None]] = []


# What an asset logs on its way; not a type of Dagster's.
_SAID = "STEP_SAID"


class _StepHandler(logging.Handler):
    """Hands step events, and what assets say on their way, to whoever listens; errors to nobody: Dagster has those."""

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        if not isinstance(meta, dict):
            return
        event = meta.get("dagster_event")
        for listener in _step_listeners:
            if event is not None:
                listener(event.event_type_value, (event.step_key or "").replace("__", "."))
            elif record.levelno == logging.INFO:
                listener(_SAID, str(meta.get("orig_message", "")))


def _make_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """Make the console logger of every run: step events to the progress display, nothing on the console."""
    logger = logging.getLogger("mfh.run")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers.clear()
    logger.addHandler(_StepHandler())
    return logger


quiet_logger = dg.LoggerDefinition(_make_logger, description="Step events to the progress display.")


class RunProgress:
    """A progress bar over the steps of a run; plain lines where standard error is not a terminal."""

    def __init__(self, steps: int) -> None:
        """Expect this many steps."""
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=steps)
        self._steps = steps
        self._done = 0
        self._started: dict[str, float] = {}

    def __enter__(self) -> RunProgress:
        """Start listening."""
        _step_listeners.append(self._listen)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        _step_listeners.remove(self._listen)
        self._bar.stop()

    def _listen(self, event_type: str, step: str) -> None:
        if event_type == "STEP_START":
            self._started[step] = time.monotonic()
        if event_type in {"STEP_START", _SAID}:
            self._bar.update(self._task, description=step)
        elif event_type in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            self._done += 1
            self._bar.advance(self._task)
            self._say(event_type, step)

    def _say(self, event_type: str, step: str) -> None:
        seconds = time.monotonic() - self._started.get(step, time.monotonic())
        failed = event_type == "STEP_FAILURE"
        if failed or not self._console.is_terminal:
            outcome = "failed" if failed else f"{seconds:.1f} s"
            self._console.print(f"[{self._done}/{self._steps}] {step}  {outcome}", markup=False)
