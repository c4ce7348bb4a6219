import inspect
from collections.abc import Iterator
from typing import get_args

import pytest

from streamgauge.cli.app import app


def read_by_us() -> Iterator[tuple[str, inspect.Parameter]]:
    """Every option whose words a function of ours reads, with the command that it is of."""
    for command in app.registered_commands:
        assert command.callback is not None
        for option in inspect.signature(command.callback, eval_str=True).parameters.values():
            if any(getattr(said, "parser", None) for said in get_args(option.annotation)):
                yield str(command.name), option


@pytest.mark.parametrize(("command", "option"), [*read_by_us()], ids=lambda each: getattr(each, "name", each))
def test_no_default_is_read_as_if_it_had_been_typed(command: str, option: inspect.Parameter) -> None:
    assert option.default is None or isinstance(option.default, str), command


def test_these_are_the_commands_that_have_such_options() -> None:
    assert {command for command, _ in read_by_us()} == {
        *("run", "assess", "attack", "capacity", "calibrate", "proxy")
    }
