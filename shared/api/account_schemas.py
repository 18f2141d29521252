"""The schemas of requests and answers about accounts, sessions and tokens."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Email, NewPassword, Password, TokenName, WebhookUrl
from shared.api.schemas import Answer, Id, Notify, Request, Time

Language = Literal["en", "ru"]
OwnPassword = Annotated[
    Password | None,
    Field(description="May be left out after a sign-in at the site's provider within the last five minutes."),
]
LinkToken = Annotated[str, Field(max_length=100, description="What the link has after `token=`.")]


class Credentials(Request):
    email: Email
    password: Password


class NewAccount(Request):
    email: Email
    password: NewPassword


class AccountChange(Request):
    """What to change; what is left out stays."""

    notify: Notify | None = None
    language: Language | None = None
    webhook_url: WebhookUrl | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "AccountChange":
        if self.notify is None and self.webhook_url is None and self.language is None:
            raise PydanticCustomError("required", "notify: name what to change")
        return self


class AccountDeletion(Request):
    password: OwnPassword = None


class ResetRequest(Request):
    email: Email


class ResetView(Answer):
    status: Literal["accepted"]


class NewPasswordByLink(Request):
    token: LinkToken
    password: NewPassword


class PasswordChange(Request):
    password: OwnPassword = None
    new_password: NewPassword


class EmailChange(Request):
    password: OwnPassword = None
    email: Email


class Confirmation(Request):
    token: LinkToken


class ConfirmationView(Answer):
    status: Literal["confirmed"]


class NewIdentity(Request):
    password: OwnPassword = None


class ProviderView(Answer):
    url: str = Field(description="Where to sign in at the provider, in the browser that sent this request.")


class IdentityView(Answer):
    id: Id
    issuer: str
    email: str | None = Field(description="The address that the provider named when the identity was connected.")
    created_at: Time
    last_used_at: Time


class WaysInView(Answer):
    has_password: bool
    identities: list[IdentityView] = Field(description="The newest first, at most ten.")


class NewToken(Request):
    name: TokenName


class UserView(Answer):
    id: Id
    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    created_at: Time
    notify: Notify
    language: Language = Field(description="The language of mail.")
    mail_stopped: Literal["unsubscribed", "refused", "bounced", "complained"] | None = Field(
        description="Why no mail is sent to this address; `PATCH` with `notify` `email` ends that."
    )
    webhook_url: str | None
    webhook_error: str | None = Field(description="The code of the last webhook, if that could not be delivered.")


class UnsubscribedView(Answer):
    status: Literal["unsubscribed"]


class WebhookSecretView(Answer):
    secret: str = Field(description="Webhooks are signed with it, as Standard Webhooks prescribes.")


class SessionView(Answer):
    user: UserView
    token: str
    expires_at: Time


class SessionEntry(Answer):
    id: Id
    device: str | None = Field(description="The browser and the system, as far as they can be recognized.")
    created_at: Time
    last_used_at: Time = Field(description="Recorded at most once an hour.")
    expires_at: Time = Field(description="When the session ends unless it is used before.")
    current: bool = Field(description="Whether this request was sent with it.")


class SessionList(Answer):
    sessions: list[SessionEntry]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]


class QuotaView(Answer):
    per_day: int
    left_today: int
    running: int
    max_running: int


class AccountView(Answer):
    user: UserView
    quota: QuotaView
    push_browsers: int = Field(description="How many browsers are notified when a job has ended, see `/v1/me/push`.")


class TokenView(Answer):
    id: Id
    name: str
    created_at: Time


class CreatedTokenView(TokenView):
    token: str = Field(description="The secret. Only this answer shows it.")


class TokenList(Answer):
    tokens: list[TokenView]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]
