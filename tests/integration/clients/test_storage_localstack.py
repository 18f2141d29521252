"""The storage on LocalStack, where `make localstack` has installed it."""

from tests.support.storage_servers import localstack
from tests.support.storage_suite import Place, StorageSuite


class TestLocalStack(StorageSuite):
    server, start = "LocalStack", staticmethod(localstack)

    def test_it_was_provisioned_by_ready_d(self, place: Place) -> None:
        done = {outcome for outcome in place.set_up.values() if not outcome.startswith("left out")}
        assert done == {"already"}
