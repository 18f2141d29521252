"""The schemas of requests and answers about accounts, sessions and tokens."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Email, NewPassword, Password, TokenName, WebhookUrl
from shared.api.schemas import Answer, Id, Notify, Request, Time

Language = Literal["en", "ru"]
LinkToken = Annotated[str, Field(max_length=100, description="What the link has after `token=`.")]


class Credentials(Request):
    email: Email
    password: Password


class NewAccount(Request):
    email: Email
    password: NewPassword | None = Field(
        None, description="Required, unless this site confirms addresses: there it is set with the link in the mail."
    )
    language: Language = Field("en", description="The language of mail.")


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
    password: Password


class ResetRequest(Request):
    email: Email


class AcceptedView(Answer):
    """The rest comes by mail."""

    status: Literal["accepted"]


class NewPasswordByLink(Request):
    token: LinkToken
    password: NewPassword


class PasswordChange(Request):
    password: Password
    new_password: NewPassword


class EmailChange(Request):
    password: Password
    email: Email


class Confirmation(Request):
    token: LinkToken
    password: NewPassword | None = Field(
        None, description="Of a new account the one that it gets, of one that is confirmed its own; else left out."
    )


class ConfirmationView(Answer):
    status: Literal["confirmed"]


class NewToken(Request):
    name: TokenName


class UserView(Answer):
    id: Id
    email: Annotated[str, Field(json_schema_extra={"format": "email"})]
    confirmed: bool = Field(description="Whether the address was confirmed by a link that was sent there.")
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
