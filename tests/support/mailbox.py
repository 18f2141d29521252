"""The mail of a site whose mailer writes files."""

from email import message_from_bytes, policy
from pathlib import Path

from shared.notify import outbox
from shared.services import Services
from tests.support.mail_server import text_of


class Mailbox:
    """Sends what waits into a folder, and reads it. `services` are those of the site."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services = services
        self._folder = folder

    def collect(self) -> list[str]:
        """Send the mails that are due; return each one's subject and text, and forget them."""
        outbox.send_due(self.services)
        found = []
        for file in sorted(self._folder.glob("*.eml")):
            message = message_from_bytes(file.read_bytes(), policy=policy.default)
            found.append(f"{message['Subject']}\n{text_of(message)}")
            file.unlink()
        return found
