"""What each step comes to when a partner has a fault: one word for each pair.

The words are the last new line of the job's timeline, or:

    refused     the step could not be done; its caller is refused (503), a worker's next sweep does it
    nothing     the job is as it was
    overtaken   the worker hangs; another one finishes the job, and what the first one does later counts for nothing
    put_off     a message is sent again later; `delivered`: it has arrived
    kept        the objects are deleted later; `collected`: they are gone

A dash is a pair that does not exist. Where a word is followed by another one after a stroke, both are right.
"""

from typing import NamedTuple


class Pair(NamedTuple):
    """A fault of a partner that a step meets, and the words that are right."""

    partner: str
    fault: str
    step: str
    words: tuple[str, ...]


_POSTGRES = """
             submit   cancel           delete  start     send      ask       fetch     end       sweep     collect
refused      refused  refused          refused refused   refused   refused   refused   refused   refused   refused
refused_once refused  refused          refused refused   refused   refused   refused   refused   refused   refused
late         accepted cancel_requested done    started   sent      nothing   succeeded cancelled started   collected
uneven       accepted cancel_requested done    started   sent      nothing   succeeded cancelled started   collected
narrow       accepted cancel_requested done    started   sent      nothing   succeeded cancelled started   collected
cut_at_once  refused  refused          refused refused   refused   refused   refused   refused   refused   refused
cut          refused  refused          refused refused   refused   refused   refused   refused   refused   refused
ends_late    accepted cancel_requested done    started   sent      nothing   succeeded cancelled started   collected
silent       refused  refused          refused overtaken overtaken overtaken overtaken overtaken overtaken overtaken
half_open    refused  refused          refused overtaken overtaken overtaken overtaken overtaken overtaken overtaken
"""
_STORAGE = """
                 submit+photo send+photo   fetch             collect
refused          refused      waiting      waiting           refused
refused_once     accepted     sent         succeeded         collected
late             accepted     sent         succeeded         collected
uneven           accepted     sent         succeeded         collected
narrow           accepted     sent         succeeded         collected
cut_at_once      refused      waiting      waiting           refused
cut              refused      waiting      waiting           refused
cut_once         accepted     sent         succeeded         collected
ends_late        accepted     sent         succeeded         collected
silent           refused      waiting      waiting           refused
reply_lost       refused      waiting      waiting           refused
reply_lost_once  accepted     sent         succeeded         collected
500              refused      waiting      waiting           refused
503              refused      waiting      waiting           refused
503_once         accepted     sent         succeeded         collected
429              refused      waiting      waiting           refused
401              refused      waiting      waiting           refused
403              refused      waiting      waiting           refused
404              refused      waiting      waiting           refused
302              refused      waiting      waiting           refused
200_empty        -            failed       waiting           kept
200_page         -            failed       waiting           kept
200_null         -            failed       waiting           kept
"""
# A connection that is reset once may be so before the request is on its way, or after.
_GENERATOR = """
                 send             ask       fetch     end       probe
refused          waiting          waiting   waiting   cancelled nothing
refused_once     retrying|waiting waiting   waiting   cancelled nothing
late             sent             nothing   succeeded cancelled started
uneven           sent             nothing   succeeded cancelled started
narrow           sent             nothing   succeeded cancelled started
cut_at_once      retrying         waiting   waiting   cancelled nothing
cut              retrying         waiting   waiting   cancelled nothing
cut_once         retrying         waiting   waiting   cancelled nothing
ends_late        sent             nothing   succeeded cancelled started
silent           waiting          waiting   waiting   cancelled nothing
reply_lost       retrying         waiting   waiting   cancelled nothing
reply_lost_once  retrying         waiting   waiting   cancelled nothing
500              retrying         waiting   waiting   cancelled nothing
503              retrying         waiting   waiting   cancelled nothing
503_once         retrying         waiting   waiting   cancelled nothing
503_come_later   waiting          waiting   waiting   cancelled nothing
429              waiting          waiting   waiting   cancelled nothing
401              waiting          waiting   waiting   cancelled nothing
403              waiting          waiting   waiting   cancelled nothing
404              waiting          retrying  retrying  cancelled started
302              waiting          waiting   waiting   cancelled nothing
200_empty        retrying         retrying  retrying  cancelled started
200_page         retrying         failed    failed    cancelled started
200_null         failed           failed    failed    cancelled started
200_endless      failed           failed    failed    cancelled nothing
"""
_MAIL = """
             mail
refused      put_off
refused_once put_off
late         delivered
uneven       delivered
narrow       delivered
cut_at_once  put_off
cut          put_off
ends_late    delivered
silent       put_off
"""
# A receiver that has got the webhook and whose answer is lost gets it a second time.
_WEBHOOK = """
                webhook
refused         put_off
refused_once    put_off
late            delivered
uneven          delivered
narrow          delivered
cut_at_once     delivered
cut_once        delivered
ends_late       delivered
silent          put_off
reply_lost_once delivered
500             put_off
503             put_off
503_come_later  put_off
429             put_off
401             put_off
403             put_off
404             put_off
302             put_off
"""
# Wake-ups are sent beside a step. What a worker does without them: tests/integration/poller/test_broker_refusals.py.
_BROKER = """
             submit   cancel
refused      accepted cancel_requested
refused_once accepted cancel_requested
late         accepted cancel_requested
uneven       accepted cancel_requested
narrow       accepted cancel_requested
cut_at_once  accepted cancel_requested
cut          accepted cancel_requested
cut_once     accepted cancel_requested
ends_late    accepted cancel_requested
silent       accepted cancel_requested
half_open    accepted cancel_requested
flushed      accepted cancel_requested
restarted    accepted cancel_requested
killed       accepted cancel_requested
READONLY     accepted cancel_requested
NOREPLICAS   accepted cancel_requested
OOM          accepted cancel_requested
WRONGPASS    accepted cancel_requested
"""
# The clock of the process that does the step. A worker with a wrong one: tests/integration/poller/test_clocks.py.
_CLOCK = """
               submit+photo cancel           delete start   send+photo ask     fetch     end       sweep   collect
an_hour_ahead  accepted     cancel_requested done   started sent       nothing succeeded cancelled started collected
10_s_ahead     accepted     cancel_requested done   started sent       nothing succeeded cancelled started collected
10_s_behind    accepted     cancel_requested done   started sent       nothing succeeded cancelled started collected
an_hour_behind accepted     cancel_requested done   started sent       nothing succeeded cancelled started collected
"""


def _read(partner: str, table: str) -> list[Pair]:
    header, *rows = table.strip("\n").splitlines()
    return [
        Pair(partner, fault.replace("_", " "), step, tuple(words.split("|")))
        for fault, *cells in map(str.split, rows)
        for step, words in zip(header.split(), cells, strict=True)
        if words != "-"
    ]


NETWORK_PAIRS = [
    pair
    for partner, table in (
        ("postgres", _POSTGRES),
        ("storage", _STORAGE),
        ("generator", _GENERATOR),
        ("mail", _MAIL),
        ("webhook", _WEBHOOK),
    )
    for pair in _read(partner, table)
]
BROKER_PAIRS = _read("broker", _BROKER)
CLOCK_PAIRS = _read("clock", _CLOCK)

AT_EACH_STATEMENT: dict[str, tuple[str, ...]] = {
    "submit": ("refused", "accepted"),
    "cancel": ("refused", "cancel_requested"),
    "delete": ("refused",),
    "start": ("refused",),
    "send": ("refused",),
    "ask": ("refused",),
    "fetch": ("refused", "succeeded"),
    "end": ("refused",),
    "sweep": ("refused", "started"),
    "collect": ("refused",),
    "mail": ("refused",),
    "webhook": ("refused",),
}
"""The words that are right when Postgres fails a step at one of its statements, whatever the fault.

What only measures, at the end of a step, may fail without it. A step that only reads goes on where nothing may change.
"""
