"""`easel-generate`: a picture from the command line, made by any service that speaks img_generator."""

import os
import sys
import threading
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from cli.exit_codes import Ended, Exit
from cli.generate_options import make_parser, read_address, read_order
from cli.interrupts import kept_interrupts
from cli.progress_line import ProgressLine


def main(argv: Sequence[str] | None = None, *, pause: threading.Event | None = None) -> int:
    """Make the pictures, save them and print their paths. Answers the exit code; wrong arguments raise SystemExit(2).

    `pause` is what the waits between two looks wait on; one that is set makes them return at once.
    """
    options = make_parser().parse_args(argv)
    line = ProgressLine(sys.stderr)
    try:
        with kept_interrupts():
            _generate(options, line, pause or threading.Event())
    except Ended as ended:
        line.say(f"easel-generate: {ended.message}")
        return ended.code
    except KeyboardInterrupt:
        line.say("Cancelled.")
        return Exit.INTERRUPTED
    return Exit.DONE


def _generate(options: Namespace, line: ProgressLine, pause: threading.Event) -> None:
    # Imported here, so that --help needs no HTTP library and Ctrl-C counts from the first moment.
    from cli.generation_run import Errand
    from cli.results import reserved_place

    address = read_address(options.server)
    order = read_order(options, line.say)
    # Before the service is asked for anything: work that could not be saved is not begun.
    with reserved_place(Path(options.out)) as place:
        if order.generates:
            line.say(f"seed {order.seed} (--seed {order.seed} and the same options make this again)")
        errand = Errand(address, order, timeout_s=options.timeout, pause=pause, show=line.show)
        result = errand.carry_out()
        line.close()
        for path in place.save(result, order):
            # A path is bytes: whatever it holds, it is printed as it is.
            sys.stdout.buffer.write(os.fsencode(path) + b"\n")
            sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
