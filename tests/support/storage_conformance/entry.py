"""Authentication: requests without a signature, with other keys or of another time are refused."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.clients.storage_checks import Checklist, expect, expect_opens, expect_refused, tampered
from shared.clients.storage_probe import Answer, Probe

check = Checklist()


@check("Without a signature nothing is written.")
def _anonymous_put(probe: Probe) -> None:
    expect_refused(
        probe.send("PUT", probe.address(probe.prefix + "put-by-anyone"), body=b"6"), "Writing without a signature"
    )


@check("Without a signature nothing is deleted.")
def _anonymous_delete(probe: Probe) -> None:
    key = probe.stored("deleted-by-anyone")
    expect_refused(probe.send("DELETE", probe.address(key)), "Deleting without a signature")
    expect_opens(probe, key)


@check("Without a signature nothing is listed.")
def _anonymous_list(probe: Probe) -> None:
    bucket = probe.address(probe.prefix).removesuffix(probe.prefix)
    expect_refused(probe.send("GET", f"{bucket}?list-type=2&prefix={probe.prefix}"), "A list without a signature")


@check("An unknown access key is refused.")
def _unknown_key(probe: Probe) -> None:
    url, headers = probe.storage.signed_request("GET", probe.stored("unknown-key"), datetime.now(UTC))
    scheme, credential = headers["Authorization"].split("Credential=")
    unknown = f"{scheme}Credential=EASELCONFORMANCE0000/{credential.split('/', 1)[1]}"
    expect_refused(
        probe.send("GET", url, headers=headers | {"Authorization": unknown}), "A request under an unknown key"
    )


@check("A request whose signature was made with another secret is refused.")
def _wrong_secret(probe: Probe) -> None:
    url, headers = probe.storage.signed_request("GET", probe.stored("wrong-secret"), datetime.now(UTC))
    wrong = tampered(headers["Authorization"])
    expect_refused(
        probe.send("GET", url, headers=headers | {"Authorization": wrong}), "A request with a wrong signature"
    )


@check("A request signed a minute before or after the storage's time is taken.")
def _clock_near(probe: Probe) -> None:
    for minutes in (-1, 1):
        answer = _signed_at(probe, minutes)
        expect(answer.body == b"12345", f"A request signed at {minutes:+} min was answered {answer.status}.")


@check("A request signed 20 minutes ago is refused.")
def _clock_behind(probe: Probe) -> None:
    expect_refused(_signed_at(probe, -20), "A request signed 20 minutes ago")


@check("A request signed 20 minutes ahead is refused.")
def _clock_ahead(probe: Probe) -> None:
    expect_refused(_signed_at(probe, 20), "A request signed 20 minutes ahead")


@check("This machine's clock and the storage's agree to a minute.")
def _clocks_agree(probe: Probe) -> None:
    told = expect_opens(probe, probe.stored("clock")).headers.get("Date", "")
    expect(told != "", "The storage does not tell its time.")
    apart_s = abs((datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds())
    expect(apart_s < 60, f"The storage's clock and this machine's are {apart_s:.0f} s apart.")


def _signed_at(probe: Probe, minutes: int) -> Answer:
    key = probe.stored("clock")
    url, headers = probe.storage.signed_request("GET", key, datetime.now(UTC) + timedelta(minutes=minutes))
    return probe.send("GET", url, headers=headers)
