"""Words for a program reach it from `make` as they are, whatever a shell would do with them."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from local.operate import words_from_make
from local.stack import StackError
from tests.support.paths import ROOT

WORDS = [
    'it\'s "quoted"',
    "costs $5, $(id), ${HOME} and `id`",
    "$(unfinished",
    "one line\nanother",
    "#1; a | b > c & \\d %",
    "маяк ночью",
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder whose `python` prints its arguments and the words it was handed."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s" "$DEMO_PROMPT$OPERATE_DO"\nprintf "<%s>" "$@" >&2\n')
    python.chmod(0o755)
    return tmp_path


def make(programs: Path, target: str, *variables: str, **environment: str) -> tuple[str, str]:
    """Return the words that the target's program was handed, and its arguments."""
    stamps = ("-o", ".venv/run.stamp", "-o", ".venv/dev.stamp")  # nothing is installed
    done = subprocess.run(
        ["make", "--silent", *stamps, f"BIN={programs}", target, *variables],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("target", "variable"), [("demo", "PROMPT"), ("operate", "DO")])
def test_words_are_not_expanded(programs: Path, target: str, variable: str, words: str) -> None:
    expected = (words, f"<-m><local.{target}>")
    assert make(programs, target, f"{variable}={words}") == expected
    assert make(programs, target, **{variable: words}) == expected


def test_a_folder_with_a_space_stays_one_argument(programs: Path) -> None:
    assert make(programs, "bench", "AGAINST=/an other/`id`") == ("", "<-m><bench><--against></an other/`id`>")
    assert make(programs, "bench") == ("", "<-m><bench>")


def test_a_bundle_is_made_for_what_the_command_names(programs: Path) -> None:
    made = "<-m><infra.bundle><--python><{}><--arch><{}>"
    assert make(programs, "bundle", PYTHON_VERSION="3.13.11", ARCH="x86_64") == ("", made.format("3.13", "arm64"))
    named = make(programs, "bundle", "PYTHON_VERSION=`id`", "ARCH='a' \"b\"")
    assert named == ("", made.format("`id`", "'a' \"b\""))


@pytest.mark.parametrize("words", [word for word in WORDS if "'" not in word])
def test_the_operators_words_are_split_as_by_a_shell(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("OPERATE_DO", f"users list --search {shlex.quote(words)}")
    assert words_from_make() == ["users", "list", "--search", words]


def test_an_open_quotation_mark_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATE_DO", "users list --search 'a")
    with pytest.raises(StackError, match="not closed"):
        words_from_make()
