"""What browsers let the site's pages do (CORS), and no others."""

from shared.storage_conformance.check import Checklist, expect
from shared.storage_conformance.probe import Answer, Probe

OTHER_ORIGIN = "https://elsewhere.example.com"


check = Checklist()


@check("A page of the site may upload.")
def _page_may_upload(probe: Probe) -> None:
    origin = probe.settings.public_url
    expect(
        _allows(_preflight(probe, origin), origin),
        "The storage does not let the site's pages upload: its CORS rule is missing.",
    )
    answer = probe.upload(probe.form("page"), headers={"Origin": origin})
    expect(_allows(answer, origin), "The answer to an upload cannot be read by the site's pages.")


@check("A page of the site may read pictures.")
def _page_may_read(probe: Probe) -> None:
    origin = probe.settings.public_url
    answer = probe.send("GET", probe.link(probe.stored("read")), headers={"Origin": origin})
    expect(_allows(answer, origin), "The site's pages cannot read pictures: the storage's CORS rule is missing.")


@check("A page of another origin may not.")
def _other_page(probe: Probe) -> None:
    expect(
        not _allows(_preflight(probe, OTHER_ORIGIN), OTHER_ORIGIN), "The storage lets the pages of every origin upload."
    )


def _preflight(probe: Probe, origin: str) -> Answer:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return probe.send("OPTIONS", probe.form("page").url, headers=headers)


def _allows(answer: Answer, origin: str) -> bool:
    return answer.succeeded and answer.headers.get("Access-Control-Allow-Origin") in (origin, "*")
