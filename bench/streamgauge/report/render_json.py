"""A report as JSON, and back; docs/report.md describes it."""

from typing import Final

import msgspec
from msgspec import Struct

from streamgauge.report.model import SCHEMA, Report

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder(Report).decode


class ReportError(ValueError):
    """The bytes are no report of a schema that is known here."""


class _Version(Struct):
    schema: int


_decode_version: Final = msgspec.json.Decoder(_Version).decode


def render_json(report: Report) -> bytes:
    """The report, one line a field: stable, small, and fit for `diff`."""
    fields = (
        b'"%s": %s' % (name.encode(), _encode(getattr(report, name))) for name in Report.__struct_fields__
    )
    return b"{\n" + b",\n".join(fields) + b"\n}\n"


def read_json(data: bytes) -> Report:
    """The report that `render_json` wrote."""
    try:
        schema = _decode_version(data).schema
        if schema != SCHEMA:
            raise ReportError(f"a report of schema {schema}; this version reads {SCHEMA}")
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReportError(f"no report: {error}") from error
