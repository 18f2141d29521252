"""`easel generators`: the generators, how busy they are, and whether they work."""

import argparse
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import ExitCode
from cli.output import Column, add_json, print_json, print_table

if TYPE_CHECKING:
    from shared.admin.generators import GeneratorHealth, GeneratorOverview
    from shared.services import Services

LIST = """\
The generators as the poller knows them. After a failure the poller waits up to a minute before it tries a generator
again; NEXT PROBE is when. A generator is "refusing" if it is well, but did not accept a job in the last ten minutes,
and "loading" while it loads its model, when it gets no jobs.
With --ask every generator in this machine's EASEL_GENERATORS is checked now, from here; the exit code is 1 if one of
them does not answer.
"""


@dataclass(frozen=True)
class Line:
    """A generator in the list: what the poller knows of it, and the result of a check that was made now."""

    name: str
    protocol: str
    places: int
    in_flight: int = 0
    health: str = "unknown to the poller"
    failures: int = 0
    retry_at: datetime | None = None
    last_error: str | None = None
    refusals: int = 0
    last_refusal: str | None = None
    answer: str = "not in EASEL_GENERATORS here"
    engine: str | None = None
    model: str | None = None
    extensions: tuple[str, ...] = ()


COLUMNS: tuple[Column[Line], ...] = (
    Column("GENERATOR", lambda line: line.name),
    Column("PROTOCOL", lambda line: line.protocol),
    Column("BUSY", lambda line: f"{line.in_flight} of {line.places}", right=True),
    Column("HEALTH", lambda line: line.health),
    Column("NEXT PROBE", lambda line: line.retry_at),
    Column("LAST ERROR", lambda line: line.last_error or line.last_refusal),
)
CHECKED = Column[Line]("ASKED NOW", lambda line: line.answer)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    parser = arguments.add_command(groups, "generators", _list, "list the generators and their health", LIST)
    parser.add_argument("word", nargs="?", choices=("list",), metavar="list", help="may be left out")
    parser.add_argument("--ask", action="store_true", help="check the health of each now")
    add_json(parser)


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import generators

    checks = generators.check_generators(services) if options.ask else []
    lines = {known.name: _line(known) for known in generators.list_generators(services)}
    for check in checks:
        address = check.address
        # The poller may not have swept with these settings yet, or may have other settings.
        line = lines.get(address.name) or Line(address.name, address.protocol, address.max_in_flight)
        lines[address.name] = _with_check(line, check)
    if options.json:
        print_json(_as_json(line, checked=options.ask) for line in lines.values())
    else:
        columns = (*COLUMNS, CHECKED) if options.ask else COLUMNS
        print_table(lines.values(), columns, if_empty="The poller knows of no generator.")
    return ExitCode.FAILED if any(check.error for check in checks) else ExitCode.DONE


def _line(known: "GeneratorOverview") -> Line:
    return Line(
        known.name,
        known.protocol,
        known.max_in_flight,
        known.in_flight,
        _health_word(known),
        known.failures,
        known.retry_at,
        known.last_error,
        known.refusals,
        known.last_refusal,
    )


def _health_word(known: "GeneratorOverview") -> str:
    if known.failures:
        return "failing"
    if known.is_loading:
        return "loading"
    return "refusing" if known.last_refusal else "ok"


def _with_check(line: Line, check: "GeneratorHealth") -> Line:
    extensions = tuple(sorted(check.extensions))
    named = ", ".join(filter(None, [check.engine, check.model, *extensions]))
    answer = check.error or (f"well ({named})" if named else "well")
    return replace(line, answer=answer, engine=check.engine, model=check.model, extensions=extensions)


def _as_json(line: Line, *, checked: bool) -> dict[str, object]:
    values = asdict(line)
    if not checked:
        for name in ("answer", "engine", "model", "extensions"):
            del values[name]
    return values
