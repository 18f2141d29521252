"""`easel generators`: which there are, how busy they are, and how they are."""

import argparse
from typing import TYPE_CHECKING, Any

from cli import arguments
from cli.exits import Exit
from cli.listing import Column, add_json, print_rows

if TYPE_CHECKING:
    from shared.admin.jobs import Answer
    from shared.services import Services

LIST = """\
The generators as the poller knows them. One that failed is left alone for a growing while, up to a minute, and then
asked again; NEXT PROBE is when. With --ask each one that EASEL_GENERATORS names here is asked now, from this machine;
the exit code is 1 when one of them does not answer.
"""

COLUMNS = (
    Column("GENERATOR", "name"),
    Column("PROTOCOL", "protocol"),
    Column("BUSY", "busy", right=True),
    Column("HEALTH", "health"),
    Column("NEXT PROBE", "retry_at"),
    Column("LAST ERROR", "last_error"),
)
ASKED = (*COLUMNS, Column("ASKED NOW", "answer"))


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    words = "generators: how busy and how well they are"
    parser = arguments.add_command(groups, "generators", _list, words, LIST)
    parser.add_argument("word", nargs="?", choices=("list",), metavar="list", help="may be left out")
    parser.add_argument("--ask", action="store_true", help="ask each for its health now")
    add_json(parser)


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs as operation

    answers = {answer.address.name: answer for answer in operation.ask_generators(services)} if options.ask else {}
    rows: dict[str, dict[str, Any]] = {}
    for row in operation.list_generators(services):
        rows[row.name] = {
            "name": row.name,
            "protocol": row.protocol,
            "places": row.max_in_flight,
            "in_flight": row.in_flight,
            "health": "failing" if row.failures else "ok",
            "failures": row.failures,
            "retry_at": row.retry_at,
            "last_error": row.last_error,
        }
    for name, answer in answers.items():
        # The poller has not swept with these settings yet, or has others.
        rows.setdefault(name, _unknown(answer))
    if options.ask:
        rows = {name: row | _asked(answers.get(name)) for name, row in rows.items()}
    told = list(rows.values())
    if not options.json:
        told = [row | {"busy": f"{row['in_flight']} of {row['places']}"} for row in told]
    print_rows(
        told, ASKED if options.ask else COLUMNS, as_json=options.json, otherwise="The poller knows of no generator."
    )
    return Exit.FAILED if any(answer.error for answer in answers.values()) else Exit.DONE


def _unknown(answer: "Answer") -> dict[str, Any]:
    return {
        "name": answer.address.name,
        "protocol": answer.address.protocol,
        "places": answer.address.max_in_flight,
        "in_flight": 0,
        "health": "unknown to the poller",
        "failures": 0,
        "retry_at": None,
        "last_error": None,
    }


def _asked(answer: "Answer | None") -> dict[str, Any]:
    if answer is None:
        return {"answer": "not in EASEL_GENERATORS here", "engine": None, "extensions": []}
    named = ", ".join(filter(None, [answer.engine, *sorted(answer.extensions)]))
    words = answer.error or ("well" if not named else f"well ({named})")
    return {"answer": words, "engine": answer.engine, "extensions": sorted(answer.extensions)}
