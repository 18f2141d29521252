"""Upload forms: what they allow, and nothing else."""

import base64
import json
from datetime import UTC, datetime, timedelta

from shared.clients.storage_checks import Checklist, expect, expect_not_taken, expect_refused, tampered
from shared.clients.storage_probe import Probe

check = Checklist()


@check("A form takes no smaller file than was announced.")
def _form_smaller(probe: Probe) -> None:
    expect_not_taken(probe, "smaller", "An upload that is too small", data=b"1234")


@check("A form takes no other type than was announced.")
def _form_other_type(probe: Probe) -> None:
    expect_not_taken(probe, "type", "An upload of another type", changes={"Content-Type": "text/html"})


@check("A form takes no upload without the type that was announced.")
def _form_without_type(probe: Probe) -> None:
    expect_not_taken(probe, "without-type", "An upload without its type", without="Content-Type")


@check("A form stores under no other key than was announced.")
def _form_other_key(probe: Probe) -> None:
    answer = probe.upload(probe.form("key"), changes={"key": probe.prefix + "another-key"})
    expect_refused(answer, "An upload under another key")
    expect(
        probe.storage.sizes_bytes(probe.prefix + "another-key") == {}, "An upload was refused and stored all the same."
    )


@check("A form ends with its lifetime.")
def _form_expires(probe: Probe) -> None:
    form = probe.form("old-form", at=datetime.now(UTC) - timedelta(hours=1))
    expect_refused(probe.upload(form), "An expired form")


@check("The rules of a form cannot be changed.")
def _form_forged(probe: Probe) -> None:
    policy = json.loads(base64.b64decode(probe.form("forged-form").fields["policy"]))
    policy["expiration"] = policy["expiration"].replace("20", "21", 1)
    forged = base64.b64encode(json.dumps(policy).encode()).decode()
    expect_not_taken(
        probe, "forged-form", "A form with other rules under the same signature", changes={"policy": forged}
    )


@check("A form with another signature is refused.")
def _form_wrong_signature(probe: Probe) -> None:
    signature = tampered(probe.form("wrong-form").fields["x-amz-signature"])
    expect_not_taken(probe, "wrong-form", "A form with a wrong signature", changes={"x-amz-signature": signature})


@check("A form without rules is refused.")
def _form_without_policy(probe: Probe) -> None:
    expect_not_taken(probe, "without-policy", "A form without rules", without="policy")


@check("A form takes no field that its rules do not name.")
def _form_extra_field(probe: Probe) -> None:
    expect_not_taken(
        probe, "extra", "A form with a field that its rules do not name", changes={"x-amz-meta-extra": "1"}
    )
