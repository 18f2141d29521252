"""`easel check`: looks at everything that a site stands on and says in words what is wrong."""

import argparse
from functools import partial
from typing import TYPE_CHECKING

from cli import arguments
from cli.checks import Level, Probe, tried
from cli.exit_codes import Exit
from cli.output import add_json, print_json
from cli.terminal_text import printable

if TYPE_CHECKING:
    from shared.services import Services

CHECK = """\
Looks at everything that the site stands on, all at the same time and for a minute at most, and says what is wrong and
what to do about it.

  settings    what can be seen in them alone
  database    reachable, PostgreSQL 18 or later, the tables of this version, the same time as here
  poller      worker and beat sweep; jobs that nobody looks at
  broker      reachable; workers answer through it (Redis)
  storage     every promise that Easel needs of it: signatures, forms, CORS for the site's pages, and so on. It writes
              less than 2 MB under conformance/ and deletes that
  generators  each answers in its protocol
  mail        the server greets and lets Easel in. Nothing is sent, unless --send-mail-to names an address
  public      EASEL_PUBLIC_URL answers, as seen from here

The exit code is 1 when something is wrong; a warning alone leaves it 0.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    words = "look at everything the site stands on, and say what is wrong"
    parser = arguments.add_command(groups, "check", _check, words, CHECK)
    parser.add_argument("--send-mail-to", type=arguments.email, metavar="ADDRESS", help="send a trial there")
    add_json(parser)


def _check(services: "Services", options: argparse.Namespace) -> int:
    from cli import check_peers, check_services

    probes = (
        Probe("settings", partial(check_services.settings, services)),
        Probe("database", partial(check_services.database, services)),
        Probe("poller", partial(check_services.poller, services)),
        Probe("broker", partial(check_services.broker, services)),
        Probe("storage", partial(check_services.storage, services)),
        Probe("generators", partial(check_peers.generators, services)),
        Probe("mail", partial(check_peers.mail, services, options.send_mail_to)),
        Probe("public", partial(check_peers.public_address, services)),
    )
    levels = []
    for name, finding in tried(probes):
        levels.append(finding.level)
        if options.json:
            print_json([{"probe": name, "level": finding.level.value, "message": finding.words}])
        else:
            print(f"{finding.level.value:<7}  {name:<10}  {printable(finding.words)}", flush=True)
    bad, doubtful = levels.count(Level.WRONG), levels.count(Level.WARNING)
    if not options.json:
        print(f"Wrong: {bad}. Warnings: {doubtful}." if bad or doubtful else "Everything is well.")
    return Exit.FAILED if bad else Exit.DONE
