"""docs/operate.md lists the metrics, alarms and log lines that exist."""

import re
from typing import Any

import yaml

from shared.metrics.process import OUTCOMES, STEPS, StepBoard
from shared.metrics.prometheus import Requests, Steps
from tests.support.paths import ROOT
from tests.support.scraping import Scrape, served
from tests.support.world import World
from tests.unit.test_docs import rows

GUIDE = ROOT / "docs" / "operate.md"
OF_TERRAFORM = {"failed-jobs", "oldest-queued-job", "dead-letters", "mail-dead-letters", "errors-5xx", "spend"}


def served_metrics(world: World) -> dict[str, set[str]]:
    """Return every metric that gateway and worker serve, with its labels."""
    board, requests = StepBoard(1), Requests()
    board.measure("send", "goes_on", 0.1)
    requests.measure("submit", "POST", 202, 0.1)
    world.finish(world.submit(world.user()))
    world.sql("INSERT INTO tallies (name, label, count, amount) VALUES ('failed', 'generator_failed', 1, 1)")
    found: dict[str, set[str]] = {}
    for process in (Steps(board), requests):
        with served(world.services, process) as port:
            seen = Scrape(port)
        for family in seen.families:
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name] = {label for sample in family.samples for label in sample.labels}
    return found


def test_the_table_of_metrics_is_that_of_the_code(world: World) -> None:
    documented = {
        row[0].strip("`"): {label.strip() for label in row[1].split(",") if label.strip()}
        for row in rows("easel_[a-z_]+", GUIDE)
    }
    assert documented == served_metrics(world)
    text = GUIDE.read_text(encoding="utf-8")
    assert f"({', '.join(STEPS)})" in text
    assert f"({', '.join(OUTCOMES)})" in text


def alerts() -> list[dict[str, Any]]:
    [block] = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    [group] = yaml.safe_load(block)["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_alerts_use_existing_metrics(world: World) -> None:
    known = served_metrics(world)
    for rule in alerts():
        assert rule.keys() <= {"alert", "expr", "for"}
        names = set(re.findall(r"easel_[a-z_]+", rule["expr"]))
        assert names <= known.keys(), rule
        assert names or rule["alert"] == "EaselNotScraped"
        for label in re.findall(r"[{,]\s*([a-z_]+)=", rule["expr"]):
            assert label == "job" or any(label in known[name] for name in names), rule


def test_every_alarm_is_explained() -> None:
    documented = {row[0].strip("`"): row for row in rows("[a-z]+(-[a-z0-9]+)*", GUIDE) if len(row) == 4 and row[3]}
    assert documented.keys() == OF_TERRAFORM
    named = {name for row in documented.values() for name in re.findall(r"`(Easel\w+)`", row[2])}
    assert named <= {rule["alert"] for rule in alerts()}


def test_the_lines_of_the_log_are_those_of_the_code() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py")
    )
    written = set(re.findall(r'_log\.\w+\((?:level, )?"([^"%]+)", extra=', sources))
    section = GUIDE.read_text(encoding="utf-8").split("## Logs")[1].split("## Scaling")[0]
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    assert documented == written
