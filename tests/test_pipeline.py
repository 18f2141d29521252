"""From a submitted job to its stored pictures, step by step, with a real database and storage."""

from shared import accounts, submission
from shared.auth import Credential
from shared.contract import JobRequest
from shared.polling import Poller
from shared.services import Services
from shared.tokens import token_hash


def test_it_works(services: Services, poller: Poller) -> None:
    session = accounts.sign_up(services, "ada@example.com", "four unusual words here")
    credential = Credential(True, token_hash(session.token))
    job = submission.submit(services, credential, JobRequest(prompt="a lighthouse at night", n=2), None)
    assert job["state"] == "queued"
    assert job["queue_position"] == 1

    [job_id] = poller.start()
    assert poller.advance(job_id) is not None  # sent
    import time

    time.sleep(0.4)
    print(poller.advance(job_id))
    done = submission.get_job(services, credential, job_id)
    print(done)
    assert done["state"] == "succeeded"
