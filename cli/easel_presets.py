"""`easel presets`: list the types and styles, and make their examples for the site."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode, usage_error
from cli.output import add_json, print_json

if TYPE_CHECKING:
    from shared.services import Services

OUT = Path("web/presets")
POLL_S = 0.5

RENDER = """\
Makes the small pictures that the create form shows for types and styles: submits an ordinary job for each, waits for it
and writes the reduced picture. Without names all are made. Needs a running site; its generators draw them.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("presets", help="types and styles, and their example pictures", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_json(arguments.add_command(commands, "list", _list, "list types and styles with the words that they add"))
    render = arguments.add_command(commands, "render", _render, "make the example pictures", RENDER)
    render.add_argument("names", nargs="*", metavar="NAME", help="such as style-oil or type-painting")
    render.add_argument("--out", type=Path, default=OUT, metavar="FOLDER", help="where they are written (%(default)s)")


def _list(_services: "Services", options: argparse.Namespace) -> int:
    from shared.api.presets import STYLES, TYPES

    choices = {f"type-{key}": choice for key, choice in TYPES.items()}
    choices |= {f"style-{key}": choice for key, choice in STYLES.items()}
    if options.json:
        print_json({"name": name, **choice.public()} for name, choice in choices.items())
        return ExitCode.DONE
    for name, choice in choices.items():
        print(f"{name:<20} {choice.words}")
    return ExitCode.DONE


def _render(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import preset_examples

    known = preset_examples.list_names()
    names = options.names or known
    if unknown := [name for name in names if name not in known]:
        raise usage_error(f"There is no preset {unknown[0]!r}; `easel presets list` names them.")
    if not options.out.is_dir():
        raise usage_error(f"{options.out} is not a folder.")
    try:
        for name, example in preset_examples.render(services, names, lambda: time.sleep(POLL_S)):
            path = options.out / f"{name}.webp"
            path.write_bytes(example)
            print(f"{path} ({len(example)} bytes)", flush=True)
    except preset_examples.ExampleFailed as error:
        raise CommandError(ExitCode.FAILED, f"An example could not be made: {error}.") from None
    return ExitCode.DONE
