"""The storage on MinIO, where there is one."""

from storage_servers import minio
from storage_suite import StorageSuite


class TestMinio(StorageSuite):
    server, start = "MinIO", staticmethod(minio)
