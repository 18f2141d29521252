"""`easel check`: checks every service that a site depends on and says what is wrong."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from cli import arguments
from cli.checks import Check, Level, run_checks
from cli.exit_codes import ExitCode
from cli.output import add_json, print_json
from cli.terminal_text import printable

if TYPE_CHECKING:
    from shared.services import Services

CHECK = """\
Checks every service that the site depends on, all at the same time and for at most a minute, and says what is wrong and
what to do about it.

  settings    what they show by themselves
  database    reachable, PostgreSQL 18 or later, its encoding and settings, the tables of this version, the same time
              as here
  poller      a worker sweeps; jobs that no worker polls
  broker      reachable; workers answer through it (Redis, 7.0 or later)
  storage     everything that Easel needs of it: signatures, forms, CORS for the site's pages, and so on. It writes
              less than 2 MB under conformance/ and deletes that
  generators  each answers in its protocol
  mail        the server accepts Easel, and the queue of bounces and complaints can be read. Nothing is sent, unless
              --send-mail-to names an address
  public      EASEL_PUBLIC_URL answers, as seen from here

The exit code is 1 if something is wrong; with only warnings it is 0.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    summary = "check every service that the site depends on, and say what is wrong"
    parser = arguments.add_command(groups, "check", _check, summary, CHECK)
    parser.add_argument("--send-mail-to", type=arguments.email, metavar="ADDRESS", help="send a test mail there")
    add_json(parser)


def _check(services: "Services", options: argparse.Namespace) -> int:
    from cli import check_peers, check_services

    checks = (
        Check("settings", partial(check_services.settings, services)),
        Check("database", partial(check_services.database, services)),
        Check("poller", partial(check_services.poller, services)),
        Check("broker", partial(check_services.broker, services)),
        Check("storage", partial(check_services.storage, services)),
        Check("generators", partial(check_peers.generators, services)),
        Check("mail", partial(check_peers.mail, services, options.send_mail_to)),
        Check("public", partial(check_peers.public_address, services)),
    )
    levels = []
    for name, finding in run_checks(checks):
        levels.append(finding.level)
        if options.json:
            print_json([{"probe": name, "level": finding.level.value, "message": finding.message}])
        else:
            print(f"{finding.level.value:<7}  {name:<10}  {printable(finding.message)}", flush=True)
    wrong, warnings = levels.count(Level.WRONG), levels.count(Level.WARNING)
    if not options.json:
        print(f"Wrong: {wrong}. Warnings: {warnings}." if wrong or warnings else "Everything works.")
    return ExitCode.FAILED if wrong else ExitCode.DONE
