"""What users of the matrix own: each kind of object that an address or a body of the API can name."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from pyotp import TOTP
from sqlalchemy import text

from shared.accounts import identity_store, token_store
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.tokens import new_token, token_hash
from shared.admin import gallery
from shared.notify import push_keys
from shared.services import Services
from tests.support.authenticator import Authenticator
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.photos import photo

PASSWORD = "four unusual words here"
SMALL = {"prompt": "a lighthouse at night", "width": 64, "height": 64}
PUSH = {"endpoint": "https://push.example.com/x", "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22}}
NO_ID = "00000000-0000-7000-8000-000000000000"

_LIKENESS = text("""
WITH trained AS (
    INSERT INTO jobs (user_id, state, prompt, settings, cost, turn, protocols, quota_day, progress, finished_at)
    VALUES (:user, 'succeeded', 'Rex', '{}', 1, 0, 'training', '2026-01-01', 1, now()) RETURNING id
) INSERT INTO likenesses (job_id, user_id, code, subject, name, shared, adapter_sha256, adapter_key, expires_at)
SELECT id, :user, :code, 'animal', 'Rex', false, repeat('0', 64), 'jobs/none/adapter', now() + interval '90 days'
FROM trained
""")


class Belongings:
    """Makes objects for users through the API, where a user could, and returns what names each.

    `ABSENT` has a name of each kind under which there is nothing.
    """

    ABSENT: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(
            (
                *("job", "finished", "published", "removed", "image", "group", "finished_group"),
                *("token", "session", "export", "identity", "passkey"),
            ),
            NO_ID,
        ),
        "likeness": "99999999",
        "upload": f"uploads/{NO_ID}/nothing.png",
        "photos": [f"uploads/{NO_ID}/nothing-{place}.png" for place in range(5)],
        "subscription": "https://push.example.com/nothing",
        "account": "",
    }

    def __init__(self, door: Door, services: Services, finish: Callable[[], None]) -> None:
        self._door = door
        self._services = services
        self._finish = finish
        self._likenesses = 0

    def make(self, kind: str, owner: Person) -> Any:
        """Make an object of this kind and return its name: the id, code, key or secret."""
        return getattr(self, f"_{kind}")(owner)

    def _post(self, owner: Person, path: str, body: Any) -> Any:
        response = self._door.post(path, json=body, headers=owner.headers)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def _job(self, owner: Person) -> str:
        return str(self._post(owner, "/v1/jobs", SMALL)["id"])

    def _finished(self, owner: Person) -> str:
        job_id = self._job(owner)
        self._finish()
        return job_id

    def _published(self, owner: Person) -> str:
        job_id = self._finished(owner)
        assert self._door.put(f"/v1/jobs/{job_id}/publication", headers=owner.headers).status_code == 200
        return job_id

    def _removed(self, owner: Person) -> str:
        job_id = self._published(owner)
        gallery.take_down(self._services, UUID(job_id))
        return job_id

    def _image(self, owner: Person) -> str:
        job = self._door.get(f"/v1/jobs/{self._finished(owner)}", headers=owner.headers).json()
        return str(job["images"][0]["link"]).removeprefix("/i/")

    def _group(self, owner: Person) -> str:
        return str(self._post(owner, "/v1/batches", {"requests": [SMALL]})["id"])

    def _finished_group(self, owner: Person) -> str:
        group_id = self._group(owner)
        self._finish()
        return group_id

    def _token(self, owner: Person) -> str:
        return str(self._post(owner, "/v1/tokens", {"name": "a program"})["id"])

    def _session(self, owner: Person) -> str:
        hashed = token_hash(new_token())
        assert hashed is not None
        with self._services.db.begin() as connection:
            kept = token_store.create_token(connection, owner.id, hashed, kind="session", name=None, lifetime_s=3600)
        return str(kept.id)

    def _export(self, owner: Person) -> str:
        return str(self._post(owner, "/v1/exports", None)["id"])

    def _identity(self, owner: Person) -> str:
        with self._services.db.begin() as connection:
            identity_store.add(connection, owner.id, "https://accounts.example.com", str(owner.id), owner.email)
            [kept] = identity_store.list_all(connection, owner.id)
        return str(kept.id)

    def _likeness(self, owner: Person) -> str:
        self._likenesses += 1
        code = f"{self._likenesses:08}"
        with self._services.db.begin() as connection:
            connection.execute(_LIKENESS, {"user": owner.id, "code": code})
        return code

    def _upload(self, owner: Person) -> str:
        return self._send(owner, photo(0))

    def _photos(self, owner: Person) -> list[str]:
        return [self._send(owner, photo(seed)) for seed in range(5)]

    def _send(self, owner: Person, data: bytes) -> str:
        body = {"content_type": "image/jpeg", "size": len(data)}
        key = str(self._post(owner, "/v1/uploads", body)["key"])
        self._services.storage.put(key, data, "image/jpeg")
        return key

    def _scene(self, owner: Person) -> str:
        body = {"place": "park", "action": "reading", "gender": "woman", "quality": "draft"}
        code = str(self._post(owner, "/v1/scenes", body)["code"])
        self._finish()
        return code

    def _subscription(self, owner: Person) -> str:
        self._post(owner, "/v1/me/push", PUSH)
        return str(PUSH["endpoint"])

    def _push_key(self, _owner: Person) -> str:
        return push_keys.ensure(self._services).application_key

    def _secret(self, owner: Person) -> str:
        query = text("SELECT mail_secret FROM users WHERE id = :id")
        with self._services.db.statement() as connection:
            return bytes(connection.execute(query, {"id": owner.id}).scalar_one()).hex()

    def _account(self, owner: Person) -> str:
        """Give the account a password; return its address."""
        with self._services.db.begin() as connection:
            user_store.set_password_hash(connection, UUID(str(owner.id)), accounts._hash(PASSWORD))
        return owner.email

    def _begun_factor(self, owner: Person) -> str:
        """Begin a second factor of an account with a password; return a code of it."""
        self._account(owner)
        return str(TOTP(self._post(owner, "/v1/totp", {"password": PASSWORD})["secret"]).now())

    def _factor(self, owner: Person) -> str:
        """Switch a second factor on; return a recovery code."""
        with_code = {"code": self._begun_factor(owner)}
        answer = self._door.put("/v1/totp", json=with_code, headers=owner.headers)
        assert answer.is_success, answer.text
        return str(answer.json()["recovery_codes"][0])

    def _made_passkey(self, owner: Person) -> Any:
        """Make a passkey for an account with a password; return the browser's answer."""
        self._account(owner)
        options = self._post(owner, "/v1/passkey-options", {"password": PASSWORD})["options"]
        return Authenticator().make(options)

    def _passkey(self, owner: Person) -> str:
        body = {"name": "a phone", "credential": self._made_passkey(owner)}
        return str(self._post(owner, "/v1/passkeys", body)["id"])
