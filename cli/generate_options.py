"""The arguments of `easel-generate`, and the generation that they describe.

Ranges and defaults in the help are those of the reference service. Another service may have other limits, so only types
are checked here, and what this program itself cannot handle; the service refuses the rest.
"""

import argparse
import math
import re
import secrets
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.exit_codes import usage_error
from shared.core.words import composed
from shared.generators.addresses import GeneratorAddress, parse_addresses
from shared.generators.base import GenerationRequest

DEFAULT_SERVER = "http://127.0.0.1:2020"
DEFAULT_OUT = "results"
DEFAULT_TIMEOUT_S = 3600.0
MAX_TIMEOUT_S = 7 * 86400.0

MAX_SEED = 2**32 - 1
MAX_COUNT = 1000
MAX_SOURCES = 32

DEFAULT_STEPS, DEFAULT_SCALE = 50, 7.5
"""For a service that reports no model."""

# As in the reference service: a new picture has the size of its source, within these limits and in steps of 8.
DEFAULT_SIDE_PX, MIN_SIDE_PX, MAX_SIDE_PX, SIDE_STEP_PX = 512, 64, 2048, 8
# A picture that is only upscaled or described keeps its size, up to the limit of the reference service.
MAX_UNCHANGED_SIDE_PX = 4096

EXIT_CODES = """\
exit codes:
  0    everything is saved
  1    the service reported an error, or its answer broke the protocol
  2    wrong arguments, a parameter that the service refuses, or a folder that cannot be written
  3    the service cannot be reached, or accepts no requests now
  4    not finished within --timeout
  130  Ctrl-C; the request is cancelled if the service supports that

The path of each saved file goes to standard output, everything else to standard error.
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, which exits with code 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="easel-generate",
        usage='%(prog)s "a lighthouse at sunset" [--server URL] [options]',
        description="Generates pictures at a service with the img_generator protocol, and saves them.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="?", metavar="PROMPT", help="the same as --prompt")
    parser.add_argument("--server", default=DEFAULT_SERVER, metavar="URL", help="the service (%(default)s)")
    parser.add_argument("--out", default=DEFAULT_OUT, metavar="DIR", help="folder to save into (%(default)s)")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=DEFAULT_TIMEOUT_S,
        metavar="S",
        help="time limit in seconds (%(default).0f); the first picture may wait long for models to load",
    )
    _add_picture(parser.add_argument_group("the picture"))
    _add_sources(parser.add_argument_group("from other pictures"))
    _add_description(parser.add_argument_group("descriptions"))
    return parser


def _add_picture(group: argparse._ArgumentGroup) -> None:
    whole = _whole(MAX_SEED + 1)
    count = _whole(MAX_COUNT)
    group.add_argument(
        "--prompt", metavar="TEXT", help="what to show; (more) and [less] change the weight; up to 4000 characters"
    )
    group.add_argument("--neg-prompt", default="", metavar="TEXT", help="what must not appear (none)")
    group.add_argument(
        "--n", type=count, metavar="N", help="pictures, with seed, seed+1, ...: 1..8 (one for each of --imgs, else 1)"
    )
    side = "64..2048 in steps of 8 (the source's, else the model's or 512)"
    group.add_argument("--width", type=whole, metavar="PX", help=side)
    group.add_argument("--height", type=whole, metavar="PX", help=side)
    group.add_argument("--steps", type=whole, metavar="N", help="sampling steps: 1..150 (the model's, else 50)")
    group.add_argument(
        "--scale", type=_number, metavar="X", help="how closely to follow the text: 0..30 (the model's, else 7.5)"
    )
    group.add_argument("--seed", type=whole, metavar="N", help="0..4294967295 (random, and printed)")
    group.add_argument(
        "--ups", type=whole, default=4, metavar="N", help="factor per side: up to 4; 1 or less does not upscale (4)"
    )
    group.add_argument("--cpu", action="store_true", help="generate without a GPU")
    group.add_argument(
        "--frames",
        type=count,
        default=0,
        metavar="N",
        help="also save intermediate pictures, where offered: 0..120 (0)",
    )


def _add_sources(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--imgs", nargs="+", action="extend", default=[], metavar="FILE", help="PNG or JPG to start from: up to 8"
    )
    group.add_argument(
        "--strength",
        type=_number,
        metavar="X",
        help="how far to go from --imgs: 0..1 (0.75); below 0 nothing new is generated, only upscaled or described; "
        "below -1 an unchanged picture is not sent back either: down to -2",
    )


def _add_description(group: argparse._ArgumentGroup) -> None:
    whole = _whole(MAX_SEED + 1)
    group.add_argument("--desc", action="store_true", help="describe each picture, into a text file beside it")
    group.add_argument("--blip-max-len", type=whole, metavar="N", help="words of the short description: 5..512 (32)")
    group.add_argument("--clip-max-len", type=whole, metavar="N", help="phrases of the detailed one: 0..512 (16)")
    group.add_argument("--skip-clip", action="store_true", help="no detailed description")
    group.add_argument(
        "--skip-list", type=_words, default=(), metavar="A,B", help="leave out mediums, artists, trendings, movements"
    )


def read_generation(options: argparse.Namespace, show: Callable[[str], None]) -> GenerationRequest:
    """Build the generation that the arguments describe: read its source pictures, resolve its size and seed.

    `show` receives a sentence for everything that is changed.

    Raises:
        CommandError: With USAGE_ERROR, for arguments that cannot be used.
    """
    if options.words is not None and options.prompt is not None:
        raise usage_error("The prompt is given twice: give it once, with or without --prompt.")
    lengths = (options.blip_max_len, options.clip_max_len)
    if not options.desc and (options.skip_clip or options.skip_list or lengths != (None, None)):
        raise usage_error("--blip-max-len, --clip-max-len, --skip-clip and --skip-list need --desc.")
    if options.strength is not None and not options.imgs:
        raise usage_error("--strength needs source pictures: name them with --imgs.")
    strength = 0.75 if options.strength is None else options.strength
    prompt = options.words if options.prompt is None else options.prompt
    if strength >= 0 and not (prompt or "").strip():
        raise usage_error('Give a prompt, for example: easel-generate "a lighthouse at sunset".')
    sources = _read_sources(options.imgs, MAX_SIDE_PX if strength >= 0 else MAX_UNCHANGED_SIDE_PX, show)
    width, height = _size(options, sources, show if strength >= 0 else lambda _: None)
    return GenerationRequest(
        prompt=composed(prompt or ""),
        negative_prompt=composed(options.neg_prompt),
        n=max(1, len(sources)) if options.n is None else options.n,
        width=width,
        height=height,
        steps=DEFAULT_STEPS if options.steps is None else options.steps,
        scale=DEFAULT_SCALE if options.scale is None else options.scale,
        seed=secrets.randbelow(MAX_SEED + 1) if options.seed is None else options.seed,
        upscale=options.ups,
        source_images=sources,
        strength=strength,
        describe=options.desc,
        blip_max_len=options.blip_max_len,
        clip_max_len=options.clip_max_len,
        skip_clip=options.skip_clip,
        skip_list=options.skip_list,
        cpu=options.cpu,
        frames=options.frames,
    )


def left_to_model(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of the values that the service's model decides, because no argument does."""
    values = [name for name in ("steps", "scale") if getattr(options, name) is None]
    if options.width is options.height is None and not options.imgs:
        values += ["width", "height"]
    return tuple(values)


def read_address(server: str) -> GeneratorAddress:
    """Parse the address of the service. Errors do not repeat it, since it may contain a password.

    Raises:
        CommandError: With USAGE_ERROR, for an address that cannot be used.
    """
    if "," in server or "?" in server:
        raise usage_error("--server must be a single address, such as http://127.0.0.1:2020.")
    try:
        return parse_addresses(f"img_generator+{server}")[0]
    except ValueError as error:
        raise usage_error(f"--server cannot be used: {str(error).removeprefix('generator 1: ')}") from None


def _read_sources(names: Sequence[str], max_side_px: int, show: Callable[[str], None]) -> tuple[bytes, ...]:
    """Read each file as a PNG, upright and without metadata, no side longer than `max_side_px`."""
    if len(names) > MAX_SOURCES:
        raise usage_error(f"--imgs takes at most {MAX_SOURCES} files.")
    return tuple(_read_source(Path(name), max_side_px, show) for name in names)


def _read_source(path: Path, max_side_px: int, show: Callable[[str], None]) -> bytes:
    from shared.core.limits import MAX_UPLOAD_BYTES
    from shared.images.codec import PictureError, source_png

    try:
        # A pipe or a device might block the program, or never end.
        if path.exists() and not path.is_file():
            raise usage_error(f"--imgs {path}: not a file.")
        with path.open("rb") as file:
            png = source_png(file.read(MAX_UPLOAD_BYTES + 1), max_side_px=max_side_px)
    except (OSError, ValueError) as error:
        raise usage_error(f"--imgs {path}: {getattr(error, 'strerror', None) or error}.") from error
    except PictureError as error:
        raise usage_error(f"--imgs {path}: {error.message}") from error
    if max(_png_size(png)) == max_side_px:
        width, height = _png_size(png)
        show(f"{path} is sent with {width}x{height} pixels: no side may be longer than {max_side_px}.")
    return png


def _size(options: argparse.Namespace, sources: tuple[bytes, ...], show: Callable[[str], None]) -> tuple[int, int]:
    """Return width and height of a new picture: as requested, or the first source's, or 512 x 512."""
    if options.width is not None or options.height is not None or not sources:
        width, height = (
            side if side is not None else other if other is not None else DEFAULT_SIDE_PX
            for side, other in ((options.width, options.height), (options.height, options.width))
        )
        return width, height
    sizes = [_png_size(source) for source in sources]
    width, height = (min(MAX_SIDE_PX, max(MIN_SIDE_PX, round(side / SIDE_STEP_PX) * SIDE_STEP_PX)) for side in sizes[0])
    if len(set(sizes)) > 1:
        # A generation has one size, while the service would use each source's own.
        show(f"All pictures get the size of the first source, {width}x{height}.")
    return width, height


def _png_size(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", png, 16)
    return width, height


def _whole(highest: int) -> Callable[[str], int]:
    """Return a parser of whole numbers, also negative ones, up to an absolute value."""

    def number(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,10}", text) or abs(int(text)) > highest:
            raise argparse.ArgumentTypeError(f"{text[:40]} is not a whole number of at most {highest}")
        return int(text)

    return number


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text[:40]} is not a number")
    return number


def _seconds(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= MAX_TIMEOUT_S:
        raise argparse.ArgumentTypeError(f"{text[:40]} is not a number of seconds up to {MAX_TIMEOUT_S:.0f}")
    return seconds


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
