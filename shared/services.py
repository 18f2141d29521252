"""The composition root: a process's settings and the clients made from them, each at its first use."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from shared.core.db import Database
from shared.core.settings import Settings, SettingsError, read_client_secret, read_key
from shared.generators.addresses import GeneratorAddress, parse_addresses

if TYPE_CHECKING:
    from celery import Celery

    from shared.clients.broker import WakeUps
    from shared.clients.storage import Storage
    from shared.generators.known_models import KnownModels


@dataclass(frozen=True)
class Services:
    """The settings and clients that every use case is given.

    The clients of storage and broker are imported at first use: each adds about 250 ms to a cold start, and most
    functions need neither.
    """

    settings: Settings

    @classmethod
    def from_environment(cls) -> "Services":
        """Return services with the settings of the environment. Raises SettingsError with one sentence."""
        services = cls(Settings.from_environment())
        _ = services.addresses
        return services

    @cached_property
    def addresses(self) -> tuple[GeneratorAddress, ...]:
        """Return the configured generators without their keys. Raises SettingsError if EASEL_GENERATORS is wrong."""
        try:
            return parse_addresses(self.settings.generators)
        except ValueError as error:
            raise SettingsError(f"EASEL_GENERATORS cannot be read: {error}") from None

    @cached_property
    def generators(self) -> tuple[GeneratorAddress, ...]:
        """Return the configured generators with their keys, for processes that call them.

        Raises:
            SettingsError: EASEL_GENERATORS cannot be read, or a key that it names is missing.
        """
        return tuple(
            replace(address, key=read_key(variable)) if (variable := address.option("key_env")) else address
            for address in self.addresses
        )

    @cached_property
    def oidc_client_secret(self) -> str:
        """Return the secret of this site's client at its OpenID Connect provider. Raises SettingsError without it."""
        return read_client_secret()

    @cached_property
    def protocols(self) -> frozenset[str]:
        """Return the protocols of the configured generators."""
        return frozenset(address.protocol for address in self.addresses)

    @cached_property
    def models(self) -> "KnownModels":
        """The models of the generators, as the poller found them."""
        from shared.generators.known_models import KnownModels

        return KnownModels(self.db)

    @property
    def sends_mail(self) -> bool:
        """Return whether this site can send mail; without it, `notify` is not offered."""
        return bool(self.settings.mail_url)

    def may_mail(self, *, confirmed: bool) -> bool:
        """Return whether this site sends mail to an account's address. confirmed: whether its owner has confirmed it.

        Mail by which its owner confirms it or gets the account back is sent in any case.
        """
        return self.sends_mail and (confirmed or not self.settings.confirms_addresses)

    @cached_property
    def db(self) -> Database:
        """The database."""
        settings = self.settings
        return Database(settings.database_url, pool_size=settings.database_pool, iam_region=settings.database_auth)

    @cached_property
    def storage(self) -> "Storage":
        """The storage of pictures and uploads."""
        from shared.clients.storage import Storage

        return Storage(self.settings)

    @cached_property
    def celery(self) -> "Celery":
        """The Celery app that sends tasks."""
        from shared.clients.broker import celery_app

        return celery_app(self.settings)

    @cached_property
    def wake_ups(self) -> "WakeUps":
        """The wake-ups sent to the poller."""
        from shared.clients.broker import WakeUps

        return WakeUps(self.celery)

    def prepare(self) -> None:
        """Import and make now what most requests of a process that stays need, so that the first of them does not wait.

        Nothing is connected to. A process without it does this at first use, which adds about 350 ms to one request.

        Raises:
            SettingsError: a setting of the database, the broker or the OpenID Connect provider cannot be used.
        """
        if self.settings.oidc_issuer:
            _ = self.oidc_client_secret
        _ = self.models, self.wake_ups

    def flush(self, limit_s: float) -> None:
        """Finish what is done after an answer, before this process ends or is frozen; wait no longer than this."""
        if "wake_ups" in vars(self):
            self.wake_ups.flush(limit_s)
