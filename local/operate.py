"""The operator's command for the stack that runs here: `python -m local.operate gallery reports`."""

import os
import shlex
import subprocess
import sys

from cli.streams import prepare_streams
from local import lock
from local.config import CHECKOUT, Config
from local.servers import http_answers
from local.site import choose_servers, site_environment
from local.stack import StackError


def running_environment(config: Config) -> dict[str, str]:
    """Return the settings of the parts of the stack that runs in this home.

    Raises:
        StackError: No stack runs here, or it is still starting.
    """
    found = lock.find_running(config.home)
    if found is None:
        raise StackError("Easel is not running here. Start it with `make run`, then ask again.")
    config = config.with_ports(found.ports)
    # Do not connect while the database is being created. Once the gateway answers, it exists.
    if not http_answers(config.ports["EASEL_PORT"], "/v1/presets"):
        raise StackError("Easel is still starting here. Try again when it has printed its address.")
    return site_environment(config, [server.env for server in choose_servers(config)[0]])


def words_from_make() -> list[str]:
    """Return the words that `make operate` passes in the environment, split as a shell would, but not expanded.

    Raises:
        StackError: A quotation mark is not closed.
    """
    try:
        return shlex.split(os.environ.get("OPERATE_DO", ""))
    except ValueError:
        raise StackError("A quotation mark in DO is not closed.") from None


def main(arguments: list[str]) -> int:
    """Run `easel` with these arguments and return its exit code; 1 after an error when no stack runs here."""
    prepare_streams()
    try:
        arguments = arguments or words_from_make()
        environment = running_environment(Config.load())
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        return subprocess.run(
            [sys.executable, "-m", "cli.easel", *arguments], check=False, cwd=CHECKOUT, env=environment
        ).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
