"""Each step meets each fault of its partners: the word of the table, then the right end, and every promise holds."""

from collections.abc import Callable, Iterator

import pytest

from shared.services import Services
from tests.integration.reliability.fault_table import AT_EACH_STATEMENT, BROKER_PAIRS, CLOCK_PAIRS, NETWORK_PAIRS, Pair
from tests.support.faults.broker import Broker
from tests.support.faults.meeting import Meeting
from tests.support.faults.sabotage import AT_STATEMENT, sabotaged
from tests.support.faults.stage import Stage, staged
from tests.support.faults.steps import STEPS
from tests.support.own_redis import killable_redis
from tests.support.repeats import repeats

USUAL = ("killed", "reply lost")
MESSAGES = ("mail", "webhook")


@pytest.fixture
def stage(services: Services, environment: dict[str, str]) -> Iterator[Stage]:
    with staged(services, environment) as stage:
        yield stage


def end(stage: Stage, meeting: Meeting, word: str) -> None:
    """End the fault, and let a caller that was refused try again."""
    stage.heal()
    if word == "refused":
        meeting.repeat()


PARTNERS = {pair.partner for pair in NETWORK_PAIRS}
WAITS_MOST = "storage"


@pytest.mark.parametrize("partner", [*sorted(PARTNERS - {WAITS_MOST}), *repeats(WAITS_MOST)])
def test_faults_of_the_network(stage: Stage, partner: str) -> None:
    pairs = [pair for pair in NETWORK_PAIRS if pair.partner == partner]
    check(stage, pairs, lambda meeting, fault: meeting.over_network(partner, fault))


def test_faults_of_the_broker(services: Services, environment: dict[str, str]) -> None:
    with (
        killable_redis() as (url, client, server),
        staged(services, environment | {"EASEL_BROKER_URL": url}) as stage,
    ):
        stage.broker = Broker(server, client)
        check(stage, BROKER_PAIRS, Meeting.with_broker)


@pytest.mark.parametrize("fault", ["an hour behind", *repeats("an hour ahead", "10 s ahead", "10 s behind")])
def test_wrong_clocks(stage: Stage, fault: str) -> None:
    check(stage, [pair for pair in CLOCK_PAIRS if pair.fault == fault], Meeting.with_clock)


def check(stage: Stage, pairs: list[Pair], meet_fault: Callable[[Meeting, str], str]) -> None:
    """Let each step meet its fault: the word of the table, then the right end, and in the end every promise."""
    wrong = [(pair, said) for pair in pairs if (said := meet(stage, pair, meet_fault))]
    assert wrong == []
    assert stage.audit() == []
    print(f"{pairs[0].partner}: {len(pairs)} pairs")  # noqa: T201 (a figure, shown with -rP)


def meet(stage: Stage, pair: Pair, meet_fault: Callable[[Meeting, str], str]) -> str:
    """Return what is wrong with a pair, nothing if all is right."""
    if pair.partner == "generator" and pair.fault.endswith("once"):
        stage.introduce()
    meeting = Meeting(stage, STEPS[pair.step])
    word = meet_fault(meeting, pair.fault)
    end(stage, meeting, word)
    stage.settle()
    if word not in pair.words:
        return word
    return "" if meeting.is_right(word) else "another end"


@pytest.mark.parametrize("step", AT_EACH_STATEMENT)
@pytest.mark.parametrize(
    "fault",
    [*USUAL, *repeats(*(fault for fault in AT_STATEMENT if fault not in USUAL))],
)
def test_faults_of_postgres_at_each_statement(stage: Stage, step: str, fault: str) -> None:
    statements = count_statements(stage, step)
    met: list[tuple[Meeting, str]] = []
    for number in range(1, statements + 1):
        meeting = Meeting(stage, STEPS[step])
        word = meeting.at_statement(fault, number)
        end(stage, meeting, word)
        met.append((meeting, word))
        assert word in AT_EACH_STATEMENT[step], (number, word)
        if step in MESSAGES:
            stage.settle()
    stage.settle()
    assert all(meeting.is_right(word) for meeting, word in met)
    assert stage.audit() == []
    print(f"{step}: {fault} at each of {statements} statements")  # noqa: T201


def count_statements(stage: Stage, step: str) -> int:
    """Return how many statements the step has when nothing fails."""
    for _ in range(2):  # what is read once is read before
        meeting = Meeting(stage, STEPS[step])
        with sabotaged(stage.services.db, 0, AT_STATEMENT["killed"]) as count:
            assert meeting.act() != "refused"
        stage.settle()
    return count.statements
