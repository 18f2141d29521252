"""The storage on MinIO, where it is installed."""

from tests.support.storage_servers import minio
from tests.support.storage_suite import StorageSuite


class TestMinio(StorageSuite):
    server, start = "MinIO", staticmethod(minio)
