"""One order at one service: sent, followed to its end and fetched, within a time."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from cli.exit_codes import Ended, Exit, wrong_use
from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    GeneratorAddress,
    GeneratorError,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
)
from shared.generators.img_generator import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    RESULT_TIMEOUT_S,
    ImgGenerator,
)

FIRST_PAUSE_S, LONGEST_PAUSE_S, PAUSE_GROWTH = 0.1, 2.0, 1.3
"""Between two looks: a small picture is there soon, and a long queue need not be asked often."""

TRIES = 5
"""How often in a row a question about a running order may meet silence: hours of work outlive a short fault."""

CANCEL_TIMEOUT_S = 5.0

T = TypeVar("T")


class Errand:
    """Carries out one order. Every call is bounded by what is left of `timeout_s`."""

    def __init__(
        self,
        address: GeneratorAddress,
        order: GenerationRequest,
        *,
        timeout_s: float,
        pause: threading.Event,
        show: Callable[[str], None],
    ) -> None:
        """`pause` is what the waits between looks wait on: one that is set makes them return at once."""
        self._address = address
        self._order = order
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._pause = pause
        self._show = show

    def carry_out(self) -> Result:
        """What the service made, its counts checked, its pictures not yet decoded.

        Raises Ended. After Ctrl-C or too long a time the service is told to stop, if it can be told.
        """
        try:
            return self._carry_out()
        except GeneratorError as error:
            raise _ending(error, self._order) from error

    def _carry_out(self) -> Result:
        if self._order.frames > 0 and "frames" not in self._call(ImgGenerator.health).extensions:
            raise wrong_use("This service offers no pictures of the making: leave --frames out.")
        remote_id = self._call(lambda client: client.start(self._order))
        try:
            self._follow(remote_id)
            return self._patiently(lambda client: client.result(remote_id, self._order))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or (isinstance(error, Ended) and error.code is Exit.TIMED_OUT):
                self._cancel(remote_id)
            raise

    def _follow(self, remote_id: str) -> None:
        """Return when the order is finished; raise Ended when it failed."""
        pause_s = FIRST_PAUSE_S
        while True:
            progress = self._patiently(lambda client: client.status(remote_id))
            self._show(_in_words(progress))
            if progress.phase is Phase.FINISHED:
                return
            if progress.phase is Phase.FAILED:
                raise Ended(Exit.FAILED, "The service reports an error: it made nothing of this request.")
            self._wait(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * PAUSE_GROWTH)

    def _patiently(self, call: Callable[[ImgGenerator], T]) -> T:
        """The same call again, for a while, as long as it meets silence."""
        for number in range(1, TRIES):
            try:
                return self._call(call)
            except GeneratorUnavailable as error:
                self._show(f"{error.message} Trying again.")
                self._wait(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number))
        return self._call(call)

    def _call(self, call: Callable[[ImgGenerator], T]) -> T:
        """One call with a client of its own, whose time-outs end with the deadline."""
        left_s = self._left_s()
        client = ImgGenerator(
            self._address,
            connect_timeout_s=min(left_s, CONNECT_TIMEOUT_S),
            answer_timeout_s=min(left_s, ANSWER_TIMEOUT_S),
            result_timeout_s=min(left_s, RESULT_TIMEOUT_S),
        )
        with closing(client):
            try:
                return call(client)
            except GeneratorUnavailable:
                self._left_s()
                raise

    def _wait(self, seconds: float) -> None:
        self._pause.wait(min(seconds, self._left_s()))

    def _left_s(self) -> float:
        """Seconds until the deadline; raises Ended after it."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise Ended(Exit.TIMED_OUT, f"Not finished after {self._timeout_s:g} s (--timeout).")
        return left_s

    def _cancel(self, remote_id: str) -> None:
        self._show("Telling the service to stop ...")
        client = ImgGenerator(self._address, connect_timeout_s=CANCEL_TIMEOUT_S, answer_timeout_s=CANCEL_TIMEOUT_S)
        with closing(client):
            client.cancel(remote_id)


def _ending(error: GeneratorError, order: GenerationRequest) -> Ended:
    if isinstance(error, GeneratorRefused):
        return Ended(Exit.WRONG_USE, error.message)
    if isinstance(error, GeneratorUnavailable):
        return Ended(Exit.UNREACHABLE, f"{error.message} ({error.code})")
    if isinstance(error, ForgottenId):
        again = f", with --seed {order.seed} for the same pictures" if order.generates else ""
        return Ended(
            Exit.FAILED, f"The service has forgotten this request; it was probably restarted. Send it again{again}."
        )
    return Ended(Exit.FAILED, f"{error.message} ({error.code})")


def _in_words(progress: Progress) -> str:
    if progress.phase is Phase.QUEUED:
        return f"waiting, at position {progress.position} of the queue"
    if progress.phase is Phase.PROCESSING:
        return "processing" if progress.fraction is None else f"processing: {progress.fraction:.0%}"
    return progress.phase.value
