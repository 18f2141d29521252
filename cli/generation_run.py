"""One generation at one service: sent, polled until it ends and fetched, within a time limit."""

import threading
import time
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from cli.exit_codes import CommandError, ExitCode, usage_error
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    Capabilities,
    ForgottenId,
    GenerationRequest,
    GeneratorError,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    loading_message,
)
from shared.generators.img_generator import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    RESULT_TIMEOUT_S,
    ImgGenerator,
)

FIRST_PAUSE_S, MAX_PAUSE_S, PAUSE_GROWTH = 0.1, 2.0, 1.3
"""Between two polls: a small picture is done soon, and a long queue need not be polled often."""

TRIES = 5
"""How often in a row a poll may fail, so that a short outage does not lose hours of work."""

CANCEL_TIMEOUT_S = 5.0

T = TypeVar("T")


class GenerationRun:
    """Runs one generation. Every call is limited by what is left of `timeout_s`.

    `generation` is what is sent: with the model's values for `left_to_model`, once the service has named its model.
    """

    def __init__(
        self,
        address: GeneratorAddress,
        generation: GenerationRequest,
        *,
        left_to_model: Collection[str] = (),
        timeout_s: float,
        pause: threading.Event,
        show: Callable[[str], None],
    ) -> None:
        """Prepare the run. The pauses between polls wait for `pause`; if it is set they end immediately."""
        self._address = address
        self.generation = generation
        self._left_to_model = left_to_model
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._pause = pause
        self._show = show

    def run(self) -> Result:
        """Return the service's result, its counts checked, its pictures not yet decoded.

        After Ctrl-C or the time limit the service is asked to stop, if its protocol allows that.

        Raises:
            CommandError: The service failed, refused the request, or did not finish in time.
        """
        try:
            return self._run()
        except GeneratorError as error:
            raise _command_error(error, self.generation) from error

    def _run(self) -> Result:
        offered = self._offered()
        if self.generation.frames > 0 and "frames" not in offered.extensions:
            raise usage_error("This service offers no intermediate pictures: leave --frames out.")
        if offered.model:
            own = {name: getattr(offered.model, name) for name in self._left_to_model}
            self.generation = replace(self.generation, **own)
        remote_id = self._call(lambda client: client.start(self.generation))
        try:
            self._poll_until_finished(remote_id)
            return self._with_retries(lambda client: client.result(remote_id, self.generation))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or (
                isinstance(error, CommandError) and error.code is ExitCode.TIMED_OUT
            ):
                self._cancel(remote_id)
            raise

    def _offered(self) -> Capabilities:
        """Return what the service offers, once its model is loaded."""
        while (offered := self._call(ImgGenerator.health)).loading_s is not None:
            self._show(loading_message(offered.loading_s))
            self._wait(MAX_PAUSE_S)
        return offered

    def _poll_until_finished(self, remote_id: str) -> None:
        """Return when the generation is finished; raise CommandError if it failed."""
        pause_s = FIRST_PAUSE_S
        while True:
            progress = self._with_retries(lambda client: client.status(remote_id))
            self._show(_describe(progress))
            if progress.phase is Phase.FINISHED:
                return
            if progress.phase is Phase.FAILED:
                raise CommandError(ExitCode.FAILED, "The service reports an error: it could not process this request.")
            self._wait(pause_s)
            pause_s = min(MAX_PAUSE_S, pause_s * PAUSE_GROWTH)

    def _with_retries(self, call: Callable[[ImgGenerator], T]) -> T:
        """Make a call, and repeat it a few times while the service is unavailable."""
        for number in range(1, TRIES):
            try:
                return self._call(call)
            except GeneratorUnavailable as error:
                self._show(f"{error.message} Trying again.")
                self._wait(min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**number))
        return self._call(call)

    def _call(self, call: Callable[[ImgGenerator], T]) -> T:
        """Make one call with a new client, whose time-outs end with the deadline."""
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
        """Return the seconds until the deadline; raise CommandError after it."""
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise CommandError(ExitCode.TIMED_OUT, f"Not finished after {self._timeout_s:g} s (--timeout).")
        return left_s

    def _cancel(self, remote_id: str) -> None:
        self._show("Asking the service to stop ...")
        client = ImgGenerator(self._address, connect_timeout_s=CANCEL_TIMEOUT_S, answer_timeout_s=CANCEL_TIMEOUT_S)
        with closing(client):
            client.cancel(remote_id)


def _command_error(error: GeneratorError, generation: GenerationRequest) -> CommandError:
    if isinstance(error, GeneratorRefused):
        return CommandError(ExitCode.USAGE_ERROR, error.message)
    if isinstance(error, GeneratorUnavailable):
        return CommandError(ExitCode.UNREACHABLE, f"{error.message} ({error.code})")
    if isinstance(error, ForgottenId):
        again = f", with --seed {generation.seed} for the same pictures" if generation.generates else ""
        return CommandError(
            ExitCode.FAILED, f"The service has forgotten this request; it was probably restarted. Send it again{again}."
        )
    return CommandError(ExitCode.FAILED, f"{error.message} ({error.code})")


def _describe(progress: Progress) -> str:
    if progress.phase is Phase.QUEUED:
        return f"waiting, at position {progress.position} of the queue"
    if progress.phase is Phase.PROCESSING:
        return "processing" if progress.fraction is None else f"processing: {progress.fraction:.0%}"
    return progress.phase.value
