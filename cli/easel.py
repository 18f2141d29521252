"""`easel`: what the operator of a site does with it, a group of commands for each thing.

A group is a module with `add_to(groups)`, which adds its parser. Each command of it sets `command`: a function from the
site and the arguments to an exit code, which prints what it did. Lists take `--json`.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import closing

from cli import easel_check, easel_gallery, easel_gc, easel_generators, easel_jobs, easel_users
from cli.exit_codes import Ended, Exit, wrong_use
from cli.interrupts import kept_interrupts

GROUPS = (easel_jobs, easel_users, easel_generators, easel_gallery, easel_gc, easel_check)

EPILOG = """\
The site is the one that the EASEL_... settings of the environment name.

exit codes:
  0    done, or there was nothing to do
  1    not done: what it was to be done to is not there or forbids it, the database refused, or `check` found
       something wrong
  2    wrong use, or a wrong setting
  3    the database or the storage cannot be reached
  130  Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line. Wrong arguments end the program with code 2."""
    parser = argparse.ArgumentParser(
        prog="easel",
        description="Operates a site of Easel.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    groups = parser.add_subparsers(title="what there is", metavar="GROUP", required=True)
    for group in GROUPS:
        group.add_to(groups)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say. Answers the exit code; wrong arguments raise SystemExit(2)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without the letters of a prompt shows the rest
    options = make_parser().parse_args(argv)
    try:
        with kept_interrupts():
            code = _run(options)
        sys.stdout.flush()
        return code
    except Ended as ended:
        print(f"easel: {ended.message}", file=sys.stderr)
        return ended.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the list has seen enough of it, as `head` does. Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def _run(options: argparse.Namespace) -> int:
    # Imported here, so that --help needs no database library and Ctrl-C counts from the first moment.
    from shared.core.db import DatabaseFault
    from shared.core.errors import EaselError, Unavailable
    from shared.core.settings import SettingsError
    from shared.services import Services

    try:
        services = Services.from_environment()
    except SettingsError as error:
        raise wrong_use(str(error)) from None
    with closing(services.db):
        try:
            return int(options.command(services, options))
        except Unavailable as error:
            raise Ended(Exit.UNREACHABLE, error.detail) from None
        except EaselError as error:
            raise Ended(Exit.FAILED, error.detail) from None
        except DatabaseFault as error:
            raise Ended(Exit.FAILED, f"{error}. Is the schema up to date (alembic upgrade head)?") from None


if __name__ == "__main__":
    sys.exit(main())
