"""Which lines of the parts the terminal of `make run` shows."""

import logging

import pytest

from local.console import Console
from shared.core.log import JsonFormatter


@pytest.mark.parametrize(
    ("level", "shown"),
    [(logging.DEBUG, False), (logging.INFO, False), (logging.WARNING, True), (logging.ERROR, True)],
)
def test_a_line_of_the_log_is_shown_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str], level: int, shown: bool
) -> None:
    record = logging.getLogger("easel.test").makeRecord("easel.test", level, __file__, 1, "a word", (), None)
    Console().line("worker", JsonFormatter().format(record))
    assert ("a word" in capsys.readouterr().out) == shown


def test_a_line_that_is_not_a_log_line_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Console().line("postgres", "FATAL: no space left")
    assert capsys.readouterr().out == "postgres  | FATAL: no space left\n"
