"""What a process works with: the settings and the clients made from them, each at its first use."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.core.db import Database
from shared.core.settings import Settings, SettingsError
from shared.generators.base import GeneratorAddress, parse_addresses

if TYPE_CHECKING:
    from celery import Celery

    from shared.clients.broker import WakeUps
    from shared.clients.storage import Storage


@dataclass(frozen=True)
class Services:
    """Handed down to every use case. The clients of storage and broker are imported at first use: each adds some 250 ms
    to a cold start, and most functions need neither."""

    settings: Settings

    @classmethod
    def from_environment(cls) -> "Services":
        """Raises SettingsError with one sentence."""
        services = cls(Settings.from_environment())
        _ = services.addresses
        return services

    @cached_property
    def addresses(self) -> tuple[GeneratorAddress, ...]:
        """The configured generators. Raises SettingsError when EASEL_GENERATORS cannot be read."""
        try:
            return parse_addresses(self.settings.generators)
        except ValueError as error:
            raise SettingsError(f"EASEL_GENERATORS cannot be read: {error}") from None

    @cached_property
    def protocols(self) -> frozenset[str]:
        """The protocols that the configured generators speak."""
        return frozenset(address.protocol for address in self.addresses)

    @property
    def sends_mail(self) -> bool:
        """Whether this site can send mail: without, `notify` is not offered."""
        return bool(self.settings.mail_url)

    @cached_property
    def db(self) -> Database:
        settings = self.settings
        return Database(settings.database_url, pool_size=settings.database_pool, iam_region=settings.database_auth)

    @cached_property
    def storage(self) -> "Storage":
        from shared.clients.storage import Storage

        return Storage(self.settings)

    @cached_property
    def celery(self) -> "Celery":
        from shared.clients.broker import celery_app

        return celery_app(self.settings)

    @cached_property
    def wake_ups(self) -> "WakeUps":
        from shared.clients.broker import WakeUps

        return WakeUps(self.celery)
