"""The storage on the tests' emulators: MiniStack, directly and behind Easel's gate, and moto."""

from tests.support.storage_servers import gate, ministack, moto
from tests.support.storage_suite import StorageSuite


class TestGate(StorageSuite):
    server, start = "Gate", staticmethod(gate)


class TestMiniStack(StorageSuite):
    server, start = "MiniStack", staticmethod(ministack)


class TestMoto(StorageSuite):
    server, start = "moto", staticmethod(moto)
