"""Logs: structlog to standard error. Nothing logs a token, a secret or a text that a user wrote."""

import logging
import sys
import traceback
from enum import StrEnum
from typing import Any

import structlog
from structlog.typing import EventDict, Processor


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    LOGFMT = "logfmt"
    JSON = "json"


def _bare_traceback(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Say where an exception came from, without its text: that may repeat what a user wrote."""
    if event.pop("exc_info", None):
        kind, _, trace = sys.exc_info()
        event["error"] = kind.__name__ if kind else "none"
        event["where"] = " < ".join(
            f"{frame.filename}:{frame.lineno}" for frame in reversed(traceback.extract_tb(trace))
        )
    return event


def configure(level: LogLevel, log_format: LogFormat) -> None:
    """Set up logging for the whole process, the libraries' own warnings included."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format is LogFormat.JSON
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "part", "event"])
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _bare_traceback,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
