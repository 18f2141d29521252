"""The schemas of requests and answers about accounts, sessions and tokens."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Email, NewPassword, Password, TokenName, WebhookUrl
from shared.api.schemas import Answer, Id, Notify, Request, Time
from shared.core.rights import RIGHTS, Right

Language = Literal["en", "ru"]
OwnPassword = Annotated[
    Password | None,
    Field(description="May be left out after a sign-in at the site's provider within the last five minutes."),
]
LinkToken = Annotated[str, Field(max_length=100, description="What the link has after `token=`.")]


FactorCode = Annotated[
    str, Field(max_length=40, description="Six digits of the authenticator app, or a recovery code; each works once.")
]


class Credentials(Request):
    email: Email
    password: Password
    code: FactorCode | None = None


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
    password: OwnPassword = None


class NewFactorRequest(Request):
    password: Password


class SecondFactorCode(Request):
    code: FactorCode


class SecondFactorProof(Request):
    password: Password
    code: FactorCode


PasskeyAnswer = Annotated[
    dict[str, Any], Field(description="What `toJSON()` of the browser's `PublicKeyCredential` gives.")
]


class PasskeyProof(Request):
    password: OwnPassword = None
    code: FactorCode | None = Field(None, description="Required where the account has a second factor.")


class NewPasskey(Request):
    name: TokenName
    credential: PasskeyAnswer


class PasskeyCredentials(Request):
    credential: PasskeyAnswer


class PasskeyOptionsView(Answer):
    options: dict[str, Any] = Field(
        description="For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` of `PublicKeyCredential`."
    )


class PasskeyView(Answer):
    id: Id
    name: str
    created_at: Time
    last_used_at: Time | None


class PasskeyList(Answer):
    passkeys: list[PasskeyView] = Field(description="The newest first, at most ten.")


class ResetRequest(Request):
    email: Email


class AcceptedView(Answer):
    """The rest comes by mail."""

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
    password: NewPassword | None = Field(
        None, description="Of a new account the one that it gets, of one that is confirmed its own; else left out."
    )


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
    expires_in_days: Annotated[int | None, Field(ge=1, le=3650, description="Without it, it never expires.")] = None
    rights: Annotated[list[Right] | None, Field(min_length=1, max_length=len(RIGHTS))] = Field(
        default=None, description="At most those of the caller, which it gets if they are left out."
    )


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
    second_factor: bool = Field(description="Whether log-in needs a code, see `/v1/totp`.")


class NewFactorView(Answer):
    secret: str = Field(description="In base32, to be typed into the authenticator app.")
    uri: str = Field(description="The same as an `otpauth://` address, with the names of the site and the account.")
    qr_svg: str = Field(description="The address as a QR code.")


class RecoveryCodesView(Answer):
    recovery_codes: list[str] = Field(description="Each works once in place of a code. Only this answer shows them.")


class TokenView(Answer):
    id: Id
    name: str
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None = Field(description="Recorded at most once an hour.")
    rights: list[Right]


class CreatedTokenView(TokenView):
    token: str = Field(description="The secret. Only this answer shows it.")


class TokenList(Answer):
    tokens: list[TokenView]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]
