"""One step meets one fault; what it comes to is one word."""

from threading import Thread

from shared.core.db import waiting_at_most
from shared.core.errors import Unavailable
from tests.support.fault_proxy import Way
from tests.support.faults.clocks import AHEAD_S, wrong_clock
from tests.support.faults.sabotage import AT_STATEMENT, sabotaged
from tests.support.faults.stage import FLUSH_S, IMPATIENT_S, Stage, impatience
from tests.support.faults.steps import Given, Step
from tests.support.own_redis import REFUSALS
from tests.support.poller import Poller
from tests.support.waiting import until

NETWORK = {
    "refused": Way(refuses=True),
    "refused once": Way(refuses=True, times=1),
    "late": Way(latency_s=0.03),
    "uneven": Way(jitter_s=0.05),
    "narrow": Way(bytes_per_s=100_000),
    "cut at once": Way(cut_after=0),
    "cut": Way(cut_after=60),
    "cut once": Way(cut_after=60, times=1),
    "ends late": Way(linger_s=0.05),
}
"""What any network may do. Postgres's connections are opened again for it."""

HTTP = {
    "reply lost": Way(loses_reply=True),
    "reply lost once": Way(loses_reply=True, times=1),
    "500": Way(status=500),
    "503": Way(status=503),
    "503 once": Way(status=503, times=1),
    "503 come later": Way(status=503, headers=(("Retry-After", "1"),)),
    "429": Way(status=429),
    "401": Way(status=401),
    "403": Way(status=403),
    "404": Way(status=404),
    "302": Way(status=302, headers=(("Location", "http://example.com/"),)),
    "200 empty": Way(status=200),
    "200 page": Way(status=200, headers=(("Content-Type", "text/html"),), body=b"<html>Welcome</html>"),
    "200 null": Way(status=200, headers=(("Content-Type", "application/json"),), body=b"null"),
    "200 endless": Way(status=200, headers=(("Content-Type", "application/json"),), body=b"[" * 200_000),
}
"""What only a partner that speaks HTTP may answer."""

SILENT = "silent"
HALF_OPEN = "half open"
"""Open connections pass nothing any more, new ones do."""


class Meeting:
    """A step that has met a fault: what it works on, and the word for what came of it."""

    def __init__(self, stage: Stage, step: Step) -> None:
        self.stage = stage
        self.step = step
        self.given: Given = step.prepare(stage)
        self._events = self._count_events()
        self._messages = self._count_messages()

    def over_network(self, partner: str, fault: str) -> str:
        """Meet a fault of the network or of an HTTP partner."""
        proxy = self.stage.proxies[partner]
        if fault == HALF_OPEN:
            proxy.drop_quietly()
        else:
            if partner == "postgres" and fault != SILENT:
                self.stage.services.db.close()
            proxy.way = Way(silent=True) if fault == SILENT else (NETWORK | HTTP)[fault]
        silent = fault in (SILENT, HALF_OPEN)
        return self._act_in_silence(partner) if silent else self.act()

    def with_broker(self, fault: str) -> str:
        """Meet a fault of the broker or of the network to it. Wake-ups are sent beside the step, which goes on."""
        stage, proxy, wake_ups = self.stage, self.stage.proxies["broker"], self.stage.services.wake_ups
        assert stage.broker is not None
        stage.wake()  # so that a connection is open
        if fault in (SILENT, HALF_OPEN):
            return self._act_beside_silence(fault)
        refused = stage.broker.refusals(fault)
        if fault in NETWORK:
            stage.disconnect_broker()
            proxy.way = NETWORK[fault]
        else:
            stage.broker.fail(fault)
        word = self.act()
        wake_ups.flush(FLUSH_S)
        stage.wake()  # and who comes later goes on, too
        assert proxy.met or fault not in NETWORK, "the fault was met"
        assert fault not in REFUSALS or stage.broker.refusals(fault) > refused, "it has refused"
        return word

    def _act_beside_silence(self, fault: str) -> str:
        proxy = self.stage.proxies["broker"]
        if fault == SILENT:
            proxy.way = Way(silent=True)
        else:
            proxy.drop_quietly()
        word = self.act()
        until(lambda: proxy.held, "a wake-up is on its way, and the step has not waited for it")
        return word

    def with_clock(self, fault: str) -> str:
        """Do the step in a process whose clock is wrong."""
        with wrong_clock(AHEAD_S[fault]):
            return self.act()

    def at_statement(self, fault: str, number: int) -> str:
        """Meet a fault of Postgres at the statement with this number."""
        with sabotaged(self.stage.services.db, number, AT_STATEMENT[fault]):
            return self.act()

    def act(self, poller: Poller | None = None) -> str:
        """Do the step; return what it comes to."""
        try:
            self.step.act(self.stage, poller or self.stage.poller, self.given)
        except Unavailable:
            return "refused"
        return self._word()

    def _act_in_silence(self, partner: str) -> str:
        """Act with short time-outs. A worker that waits for its database is overtaken by another one."""
        if partner != "postgres":
            with impatience():
                return self.act(self.stage.impatient)
        if self.step.is_call:
            with waiting_at_most(IMPATIENT_S):
                return self.act()
        frozen = Thread(target=self.act)
        frozen.start()
        until(lambda: self.stage.proxies[partner].held or not frozen.is_alive(), "the worker waits", every_s=0.01)
        self.stage.finish_directly(self.given["job"])
        self.stage.heal()
        frozen.join()
        return "overtaken"

    def _word(self) -> str:
        """Return the last new line of the job's timeline, or whether a message has arrived, or else what is there."""
        stage, job = self.stage, self.given["job"]
        if self.step.name in ("mail", "webhook"):
            return "delivered" if self._count_messages() > self._messages else "put_off"
        if self.step.name == "collect":
            return "kept" if stage.world.garbage() else "collected"
        query = "SELECT event FROM job_events WHERE job_id = :id ORDER BY id DESC LIMIT 1"
        rows = stage.world.sql(query, id=job)
        if not rows:
            return "done"
        return "nothing" if self._count_events() == self._events else str(rows[0].event)

    def _count_events(self) -> int:
        count = "SELECT count(*) FROM job_events WHERE job_id = :id"
        return int(self.stage.world.sql(count, id=self.given.get("job"))[0][0])

    def _count_messages(self) -> int:
        return len(self.stage.mail.mails) + len(self.stage.receiver.posts)

    def repeat(self) -> None:
        """Do the step again without a fault, as a caller does who was refused."""
        if self.step.is_call:
            self.act()

    def is_right(self, word: str) -> bool:
        """Return whether the job has ended as it should, once everything has settled."""
        rows = self.stage.world.sql("SELECT state FROM jobs WHERE id = :id", id=self.given["job"])
        return (str(rows[0].state) if rows else "deleted") == ("failed" if word == "failed" else self.step.end)
