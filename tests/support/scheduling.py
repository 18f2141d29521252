"""How the tests are divided among pytest's processes."""

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

# Files that start a stack of their own, so that any process may run them.
WITH_OWN_STACK = (
    *("/test_browser.py", "/test_browser_confirmed.py", "/test_browser_oidc.py", "/test_chaos.py"),
    *("/test_text2art_mail.py", "/test_training_faults.py", "/test_whole_site.py"),
)
AT_SCHOOL = ("/test_browser_likenesses.py", "/test_browser_photo_checks.py")


class ByServers(LoadFileScheduling):  # type: ignore[misc]
    """Gives tests of the same servers to the same process, so that these are started once; others by file.

    The running site takes about 15 s of processor time to start, the emulated cloud with its bundle about 30 s.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = str(super()._split_scope(nodeid))
        if path.endswith(AT_SCHOOL):
            return "the site that trains"
        if path.startswith("tests/e2e/") and not path.endswith(WITH_OWN_STACK):
            return "the running site"
        if path.startswith(("tests/contract/", "tests/deploy/cloud/")):
            return "the emulated cloud"
        return path
