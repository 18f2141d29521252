"""`easel`: the commands for the operators of a site, in groups.

A group is a module with `add_to(groups)`, which adds its parser. Each of its commands sets `command`: a function that
takes the services and the arguments, prints what it did, and returns an exit code. List commands have `--json`.
One that needs no site sets `without_site` instead: a function of the arguments alone.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from cli import (
    easel_check,
    easel_errors,
    easel_evaluate,
    easel_gallery,
    easel_gc,
    easel_generators,
    easel_jobs,
    easel_likenesses,
    easel_presets,
    easel_reports,
    easel_scenes,
    easel_users,
)
from cli.exit_codes import CommandError, ExitCode, usage_error
from cli.interrupts import keep_interrupts
from cli.streams import forget_reader, prepare_streams

GROUPS = (
    easel_jobs,
    easel_users,
    easel_generators,
    easel_gallery,
    easel_reports,
    easel_likenesses,
    easel_presets,
    easel_scenes,
    easel_errors,
    easel_gc,
    easel_check,
    easel_evaluate,
)

EPILOG = """\
The EASEL_... settings of the environment name the site.

exit codes:
  0    done, or there was nothing to do
  1    not done: the object does not exist or does not allow it, the database refused, or `check` found something wrong
  2    wrong arguments, or a wrong setting
  3    the database or the storage cannot be reached
  130  Ctrl-C
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, which exits with code 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="easel",
        description="Operates a site of Easel.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    groups = parser.add_subparsers(title="groups", metavar="GROUP", required=True)
    for group in GROUPS:
        group.add_to(groups)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code.

    Raises:
        SystemExit: With code 2, for wrong arguments.
    """
    prepare_streams()
    options = make_parser().parse_args(argv)
    try:
        with keep_interrupts():
            code = options.without_site(options) if "without_site" in options else _run(options)
        sys.stdout.flush()
        return code
    except CommandError as ended:
        print(f"easel: {ended.message}", file=sys.stderr)
        return ended.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget_reader()
        return ExitCode.DONE


def _run(options: argparse.Namespace) -> int:
    # Imported here, so that --help needs no database library and Ctrl-C is handled from the start.
    from shared.core.db import DatabaseFault
    from shared.core.errors import EaselError, NotMigrated, Unavailable
    from shared.core.settings import SettingsError
    from shared.services import Services

    try:
        services = Services.from_environment()
    except SettingsError as error:
        raise usage_error(str(error)) from None
    with closing(services.db):
        try:
            return int(options.command(services, options))
        except SettingsError as error:  # one that only some commands read, such as the key of a generator
            raise usage_error(str(error)) from None
        except NotMigrated as error:
            raise CommandError(ExitCode.FAILED, error.detail) from None
        except Unavailable as error:
            raise CommandError(ExitCode.UNREACHABLE, error.detail) from None
        except EaselError as error:
            raise CommandError(ExitCode.FAILED, error.detail) from None
        except DatabaseFault as error:
            raise CommandError(ExitCode.FAILED, f"{error}.") from None


if __name__ == "__main__":
    sys.exit(main())
