"""The storage on MinIO, where there is one."""

from tests.support.storage_servers import minio
from tests.support.storage_suite import StorageSuite


class TestMinio(StorageSuite):
    server, start = "MinIO", staticmethod(minio)
