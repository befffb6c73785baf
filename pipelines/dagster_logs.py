"""Have Dagster's own processes write lines as ours do, where those are JSON.

Dagster's commands set their loggers up before or after they load anything of ours, and give each
run's console a handler of its own; all of them make it of one class. That class is replaced, and
what was set up before is given the new form. A test looks at each command's output.
"""

import logging
import multiprocessing
import sys

import coloredlogs

from sql.logs import Json, begin, is_json

NAMES = {
    "dagster_webserver": "dagster-webserver",
    "dagster-webserver": "dagster-webserver",
    "dagster._daemon": "dagster-daemon",
    "dagster-daemon": "dagster-daemon",
    "_daemon": "dagster-daemon",
    "execute_run": "worker",
    "execute_step": "worker",
    "code-server": "code-server",
    "grpc": "code-server",
}


def speak() -> None:
    """Once for a process, where SIGNALBOX_LOG_FORMAT says so."""
    if not is_json() or coloredlogs.ColoredFormatter.__module__ == __name__:
        return
    process = process_name()

    class Line(Json):
        """Takes the arguments of the class that it stands for, and needs none."""

        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(process)

    coloredlogs.ColoredFormatter = coloredlogs.BasicFormatter = Line
    begin(process)
    for handler in logging.root.handlers:
        handler.addFilter(_has_no_handler)
    for logger in list(logging.root.manager.loggerDict.values()):
        for handler in logger.handlers if isinstance(logger, logging.Logger) else ():
            handler.setFormatter(Line())
    _uvicorn(Line)


def _has_no_handler(record: logging.LogRecord) -> bool:
    """What Dagster's own handlers write is not written by the root's again."""
    return not logging.getLogger(record.name.partition(".")[0]).handlers


def process_name() -> str:
    """By what it was started as; runs of the default launcher are children of the code server."""
    if multiprocessing.parent_process() is not None:
        return "worker"
    words = [word.rpartition("/")[2] for word in [*sys.orig_argv, *sys.argv]]
    return next((name for word, name in NAMES.items() if word in words), "dagster")


def _uvicorn(line: type[Json]) -> None:
    """The webserver's, which sets its loggers up when it starts to serve."""
    config = sys.modules.get("uvicorn.config")
    if config is not None:
        for form in config.LOGGING_CONFIG["formatters"].values():
            form.clear()
            form["()"] = line
