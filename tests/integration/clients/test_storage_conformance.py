"""The conformance checks themselves: they clean up, terminate, and pass no broken storage."""

from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.clients import storage_checks
from shared.clients.storage import Storage
from shared.clients.storage_checks import Check, run_checks
from shared.clients.storage_probe import Answer, Probe
from shared.core.errors import Unavailable
from shared.core.settings import Settings
from shared.services import Services
from tests.support.paths import ROOT
from tests.support.storage_conformance import CHECKS
from tests.support.storage_deviations import DEVIATIONS, LEFT_OUT, deviations_of
from tests.support.world import delete_prefix, with_settings

NOWHERE = "http://127.0.0.1:9"
README = ROOT / "localstack" / "README.md"
OWN_BYTES = 2_000_000


@pytest.fixture
def settings(session_services: Services) -> Settings:
    return session_services.settings


class Ledger(Storage):
    """The storage, with a list of the keys and sizes written."""

    written: dict[str, int]

    def put(self, key: str, data: bytes, content_type: str) -> str:
        self.written[key] = len(data)
        return super().put(key, data, content_type)


def test_a_correct_storage_passes_every_check(settings: Settings) -> None:
    assert [(check.name, str(broken)) for check, broken in run_checks(settings, CHECKS) if broken] == []


def test_it_writes_little_under_its_own_prefix_and_cleans_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Storage(settings).sizes_bytes("")
    Ledger.written = {}
    monkeypatch.setattr("shared.clients.storage_probe.Storage", Ledger)
    for _ in run_checks(settings, CHECKS):
        pass
    [prefix] = {key.rpartition("/")[0].split("/")[1] for key in Ledger.written}
    assert all(key.startswith(f"conformance/{prefix}/") for key in Ledger.written)
    assert 0 < sum(Ledger.written.values()) < OWN_BYTES
    assert Storage(settings).sizes_bytes("") == before


def test_an_interrupted_run_cleans_up(settings: Settings) -> None:
    checks = run_checks(settings, CHECKS)
    for _ in range(20):
        next(checks)
    assert Storage(settings).sizes_bytes("conformance/") != {}
    checks.close()
    assert Storage(settings).sizes_bytes("conformance/") == {}


def test_without_a_bucket_nothing_else_is_tried(session_services: Services) -> None:
    [(check, broken)] = run_checks(with_settings(session_services, s3_bucket="no-such-bucket").settings)
    assert (check.name, str(broken)) == ("bucket", "The storage has no bucket of the configured name.")


def test_an_unreachable_storage_is_reported_immediately(session_services: Services) -> None:
    gone = with_settings(session_services, s3_endpoint=NOWHERE, s3_public_endpoint=NOWHERE).settings
    [(check, broken)] = run_checks(gone)
    assert (check.name, str(broken)) == ("bucket", "The storage cannot be reached.")


def test_a_slow_storage_stops_the_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_checks, "LONGEST_S", -1)
    checks = [(check.name, str(broken)) for check, broken in run_checks(settings, CHECKS)]
    assert checks == [("bucket", storage_checks.NOT_TRIED)]


def test_links_for_a_public_endpoint_are_tried_through_the_internal_one(settings: Settings) -> None:
    """As in a container: the gate checks signatures over the host name, so it would refuse another host."""
    inside = settings.model_copy(update={"s3_public_endpoint": NOWHERE})
    outcomes = {check.name: broken for check, broken in run_checks(inside, CHECKS)}
    assert len(outcomes) == len(CHECKS)
    assert {name for name, broken in outcomes.items() if broken} == set()


def test_a_dead_url_is_found_in_the_last_seconds_of_a_window(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The previous window's URL may expire at any moment and is not tried; the present window's URL stays valid."""
    last = settings.url_ttl_s / 2 * 1_000_000 - 1
    monkeypatch.setattr("tests.support.storage_conformance.links.time", SimpleNamespace(time=lambda: last))
    [stable] = [check for check in CHECKS if check.name == "link-is-stable"]
    probe = Wrong(settings)
    assert str(stable.outcome(probe)) == "A URL is dead within its lifetime."
    delete_prefix(Storage(settings), probe.prefix)


class Garbled(Storage):
    """A storage that reads, lists and deletes incorrectly."""

    def get(self, key: str, max_bytes: int, *, etag: str | None = None) -> bytes:
        return b"other"[:max_bytes]

    def get_begin(self, key: str, max_bytes: int) -> tuple[bytes, str]:
        return b"other"[:max_bytes], "the same for all"

    def size_bytes(self, key: str) -> int:
        return 99

    def sizes_bytes(self, prefix: str) -> dict[str, int]:
        return {prefix + "another": 1}

    def delete(self, keys: Collection[str]) -> None:
        return

    def check(self) -> None:
        raise Unavailable("The storage has no bucket of the configured name.")


class Wrong(Probe):
    """A storage that gives every request the same wrong answer."""

    answer = Answer(200, {"Date": "Thu, 01 Jan 2015 00:00:00 GMT", "Access-Control-Allow-Origin": "*"}, b"wrong")

    def send(self, *arguments: object, **named: object) -> Answer:
        return self.answer


class Failing(Wrong):
    """A storage whose answers are errors, but not refusals."""

    answer = Answer(500, {}, b"")


# These checks are satisfied by such an answer.
RIGHT = {"page-may-upload": Wrong, "page-may-read": Wrong, "other-page": Failing}


@pytest.mark.parametrize("kind", [Wrong, Failing])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_no_check_passes_a_broken_storage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: type[Wrong], check: Check
) -> None:
    monkeypatch.setattr("shared.clients.storage_probe.Storage", Garbled)
    probe = kind(settings)
    broken = check.outcome(probe)
    delete_prefix(Storage(settings), probe.prefix)
    assert (broken is None) == (RIGHT.get(check.name) is kind)
    assert broken is None or str(broken).endswith(".")


def test_checks_have_unique_names_and_full_sentences() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.promise[0].isupper() and check.promise.endswith(".") for check in CHECKS)


def test_busy_and_server_errors_are_not_refusals() -> None:
    """A broken or busy storage has not judged the request."""
    refused = [status for status in range(100, 600) if Answer(status, {}, b"").refused]
    assert refused == [status for status in range(400, 500) if status not in (408, 429)]
    assert [status for status in range(100, 600) if Answer(status, {}, b"").succeeded] == list(range(200, 300))


@pytest.mark.parametrize("server", DEVIATIONS)
def test_the_deviations_name_existing_checks(server: str) -> None:
    assert deviations_of(server).keys() <= {check.name for check in CHECKS}
    listed = " ".join(DEVIATIONS[server].values()).split()
    assert len(set(listed)) == len(listed)


def test_the_readme_lists_the_deviations() -> None:
    assert table(README, "### Promises") == [
        [server, reason, " ".join(f"`{name}`" for name in names.split())]
        for server, reasons in DEVIATIONS.items()
        for reason, names in (reasons or {"None.": ""}).items()
    ]
    assert f"runs {len(CHECKS)} checks" in README.read_text(encoding="utf-8")
    assert table(README, "### Provisioning") == [[server, ", ".join(sorted(out))] for server, out in LEFT_OUT.items()]


def table(file: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its first two lines."""
    section = file.read_text(encoding="utf-8").split(heading + "\n")[1].split("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
