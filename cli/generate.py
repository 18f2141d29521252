"""`easel-generate`: generates pictures from the command line, at any service with the img_generator protocol."""

import os
import sys
import threading
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from cli.exit_codes import CommandError, ExitCode
from cli.generate_options import left_to_model, make_parser, read_address, read_generation
from cli.interrupts import keep_interrupts
from cli.progress_line import ProgressLine
from cli.streams import forget_reader, prepare_streams


def main(argv: Sequence[str] | None = None, *, pause: threading.Event | None = None) -> int:
    """Generate the pictures, save them and print their paths; return the exit code.

    The pauses between polls wait for `pause`; if it is set they end immediately.

    Raises:
        SystemExit: With code 2, for wrong arguments.
    """
    prepare_streams()
    options = make_parser().parse_args(argv)
    line = ProgressLine(sys.stderr)
    try:
        with keep_interrupts():
            _generate(options, line, pause or threading.Event())
    except CommandError as ended:
        line.say(f"easel-generate: {ended.message}")
        return ended.code
    except KeyboardInterrupt:
        line.say("Cancelled.")
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _generate(options: Namespace, line: ProgressLine, pause: threading.Event) -> None:
    # Imported here, so that --help needs no HTTP library and Ctrl-C is handled from the start.
    from cli.generation_run import GenerationRun
    from cli.results import reserve_names

    address = read_address(options.server)
    generation = read_generation(options, line.say)
    # Before the request is sent, so that no work is started that cannot be saved.
    with reserve_names(Path(options.out)) as names:
        if generation.generates:
            line.say(f"seed {generation.seed} (--seed {generation.seed} and the same options make this again)")
        run = GenerationRun(
            address,
            generation,
            left_to_model=left_to_model(options),
            timeout_s=options.timeout,
            pause=pause,
            show=line.show,
        )
        result = run.run()
        line.close()
        paths = list(names.save(result, run.generation))  # all of them, before a reader may be gone
    try:
        for path in paths:
            # A path is bytes, and is printed unchanged.
            sys.stdout.buffer.write(os.fsencode(path) + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        forget_reader()
    except OSError as error:  # a full disk, say
        forget_reader()
        message = f"The pictures are saved, but their paths cannot be printed: {error.strerror}."
        raise CommandError(ExitCode.FAILED, message) from None


if __name__ == "__main__":
    sys.exit(main())
