from typing import Any

import pytest

from reference_server.redact import SECRET_KEYS, redact


def test_secrets_are_taken_out_at_any_depth_and_their_places_listed() -> None:
    value = {
        "password": "hunter2",
        "calls": [{"Authorization": "Bearer x", "n": 1}, {"deep": {"api_key": {"a": "b"}}}],
        "passwords_tried": 3,
        "a/b~c": {"secret": None},
    }
    assert redact(value) == (
        {
            "password": "[redacted]",
            "calls": [{"Authorization": "[redacted]", "n": 1}, {"deep": {"api_key": "[redacted]"}}],
            "passwords_tried": 3,
            "a/b~c": {"secret": "[redacted]"},
        },
        ["/password", "/calls/0/Authorization", "/calls/1/deep/api_key", "/a~1b~0c/secret"],
    )
    assert value["password"] == "hunter2"


@pytest.mark.parametrize("key", sorted(SECRET_KEYS))
def test_every_key_of_the_list_is_redacted(key: str) -> None:
    assert redact({key: "x"}) == ({key: "[redacted]"}, [f"/{key}"])


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_json_has_no_form_for_is_no_value(value: Any) -> None:
    with pytest.raises(TypeError, match="at /list/0"):
        redact({"list": [value]})


def test_depth_is_bounded() -> None:
    value: dict[str, Any] = {}
    for _ in range(100):
        value = {"a": value}
    with pytest.raises(ValueError, match="deeper than 64"):
        redact(value)
