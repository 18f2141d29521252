"""`easel evaluate-styles`: ask a judge which pictures are in which style."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode, usage_error
from cli.output import Column, add_json, print_json, print_table
from cli.progress_line import ProgressLine

if TYPE_CHECKING:
    from shared.admin.style_metric import Judge, Share

EVALUATE = """\
For each picture of the folder and each style asks a judge "is this picture in style X?", and prints the shares of yes
with 95 % Wilson intervals, by the folders in the folder. Answers are kept in the CSV file; the same command goes on
where it stopped. Without --model the judge is picture statistics: rules about colours and edges.
"""
BAR = 24


def add_to(groups: arguments.Commands) -> None:
    """Add the command."""
    parser = groups.add_parser(
        "evaluate-styles",
        help="ask a judge which pictures are in which style",
        description=EVALUATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(without_site=_evaluate)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR", help="a folder of pictures")
    parser.add_argument("--styles", nargs="+", required=True, metavar="STYLE", help="such as banksy or van_gogh")
    parser.add_argument(
        "--model", metavar="MODEL", help="as judge, a vision-language model of transformers: DIR or OWNER/NAME"
    )
    parser.add_argument("--out", type=Path, default=Path("styles.csv"), metavar="CSV", help="answers (%(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the shares, with matplotlib (extra `plot`)")
    add_json(parser)


def _evaluate(options: argparse.Namespace) -> int:
    from shared.admin import style_metric
    from shared.admin.style_judges import JudgeFailed

    judge = _judge(options)
    if not options.dataset.is_dir() or not style_metric.list_pictures(options.dataset):
        raise usage_error(f"{options.dataset} is not a folder with pictures.")
    styles = list(dict.fromkeys(options.styles))
    line = ProgressLine(sys.stderr)

    def show(done: int, total: int) -> None:
        filled = done * BAR // total
        if sys.stderr.isatty() or done == total:
            line.show(f"[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total}")

    try:
        shares = style_metric.evaluate(options.dataset, styles, judge, options.out, show)
    except OSError as error:
        raise CommandError(ExitCode.FAILED, f"{options.out}: {error.strerror}.") from None
    except JudgeFailed as error:
        raise CommandError(ExitCode.FAILED, f"{error} The answers so far are in {options.out}.") from None
    finally:
        line.close()
    _print(shares, options)
    if options.plot:
        _plot(shares, judge.name, options.plot)
    return ExitCode.DONE


def _judge(options: argparse.Namespace) -> "Judge":
    from shared.admin import style_judges

    if options.model:
        from shared.admin.vision_language import VisionLanguage

        try:
            return VisionLanguage(options.model)
        except style_judges.JudgeFailed as error:
            raise CommandError(ExitCode.FAILED, str(error)) from None
    if unknown := [style for style in options.styles if style not in style_judges.RULES]:
        known = ", ".join(style_judges.RULES)
        raise usage_error(
            f"Picture statistics have no rule for {unknown[0]!r}, only for {known}; --model judges others."
        )
    return style_judges.Statistics()


def _print(shares: "list[Share]", options: argparse.Namespace) -> None:
    if options.json:
        print_json(
            {"kind": each.kind, "style": each.style, "yes": each.positive, "asked": each.asked, "share": each.value}
            | dict(zip(("low", "high"), each.interval, strict=True))
            for each in shares
        )
        return
    columns: tuple[Column[Share], ...] = (
        Column("KIND", lambda share: share.kind),
        Column("STYLE", lambda share: share.style),
        Column("YES", lambda share: f"{share.positive} of {share.asked}", right=True),
        Column("SHARE", lambda share: f"{share.value:.2f}", right=True),
        Column("95 %", lambda share: "{:.2f} to {:.2f}".format(*share.interval)),
    )
    print_table(shares, columns, if_empty="No picture could be read.")


def _plot(shares: "list[Share]", judge: str, path: Path) -> None:
    """Draw a bar with its interval for each kind and style."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise CommandError(ExitCode.FAILED, "A plot needs the extra `plot`: matplotlib.") from None
    kinds, styles = (list(dict.fromkeys(names)) for names in ([s.kind for s in shares], [s.style for s in shares]))
    figure = Figure(figsize=(1.2 + 1.5 * len(kinds), 3.4), layout="constrained")
    axes = figure.add_subplot()
    wide = 0.8 / max(1, len(styles))
    for number, style in enumerate(styles):
        own = [share for share in shares if share.style == style]
        places = [kinds.index(share.kind) + (number - (len(styles) - 1) / 2) * wide for share in own]
        below = [share.value - share.interval[0] for share in own]
        above = [share.interval[1] - share.value for share in own]
        axes.bar(places, [share.value for share in own], wide * 0.9, yerr=[below, above], capsize=2, label=style)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("kind of the pictures")
    axes.set_ylabel("share judged to be in the style")
    axes.set_title(f"judge: {judge}", fontsize=9)
    figure.legend(loc="outside right upper", fontsize=8, title="style asked for", title_fontsize=8)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:  # the second is a format that matplotlib does not know
        raise CommandError(ExitCode.FAILED, f"{path} cannot be written: {error}.") from None
