"""Secrets are taken out of tool parameters and results before anybody sees them."""

from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"
SECRET_KEYS = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "authorization",
        "client_secret",
        "credential",
        "credentials",
        "id_token",
        "passwd",
        "password",
        "private_key",
        "refresh_token",
        "secret",
    }
)
MAX_DEPTH = 64


def redact(value: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Copy `value` without the secrets in it, and list their places as JSON pointers (RFC 6901).

    A key is a secret's where its whole name, in any case, is on the list. Raises `TypeError` for what JSON
    has no form for, and `ValueError` for a value nested deeper than `MAX_DEPTH`.
    """
    places: list[str] = []
    return _copy_mapping(value, "", places), places


def _copy(value: Any, place: str, places: list[str]) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if place.count("/") > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        return _copy_mapping(value, place, places)
    if isinstance(value, list | tuple):
        return [_copy(item, f"{place}/{index}", places) for index, item in enumerate(value)]
    raise TypeError(f"{type(value).__name__} at {place} has no form in JSON")


def _copy_mapping(value: Mapping[str, Any], place: str, places: list[str]) -> dict[str, Any]:
    copy: dict[str, Any] = {}
    for key, item in value.items():
        here = f"{place}/{key.replace('~', '~0').replace('/', '~1')}"
        if key.casefold() in SECRET_KEYS:
            copy[key] = REDACTED
            places.append(here)
        else:
            copy[key] = _copy(item, here, places)
    return copy
