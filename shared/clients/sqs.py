"""A queue of SQS whose messages another service wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.clients.broker import region_of
from shared.core.errors import Unavailable
from shared.core.setting_types import split_address

MOST_AT_ONCE = 10
"""Messages of one call, by the limits of SQS."""

WAIT_S = 1
"""With a wait all servers of SQS are asked; without one, a message on some of them is not found."""


@dataclass(frozen=True, slots=True)
class Message:
    """A received message. `receives` is how often it was received, this time included."""

    receipt: str
    body: str
    receives: int


class SqsQueue:
    """The queue of an address `sqs://host/account/queue`, or `sqs+http://` for an emulator."""

    def __init__(self, url: str) -> None:
        self._parts = split_address(url)
        scheme = "https" if self._parts.scheme == "sqs" else "http"
        self._origin = f"{scheme}://{self._parts.netloc}"
        self._url = f"{self._origin}{self._parts.path}"

    def receive(self) -> list[Message]:
        """Return up to MOST_AT_ONCE messages, which others do not receive for a while. Raises Unavailable."""
        answer = self._call(
            "receive_message",
            MaxNumberOfMessages=MOST_AT_ONCE,
            WaitTimeSeconds=WAIT_S,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [
            Message(found["ReceiptHandle"], found["Body"], int(found["Attributes"]["ApproximateReceiveCount"]))
            for found in answer.get("Messages", [])
        ]

    def count(self) -> int:
        """Return about how many messages wait, without receiving them. Raises Unavailable."""
        name = "ApproximateNumberOfMessages"
        return int(self._call("get_queue_attributes", AttributeNames=[name])["Attributes"][name])

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete received messages; one that cannot be deleted is received again. Raises Unavailable."""
        entries = [{"Id": str(index), "ReceiptHandle": message.receipt} for index, message in enumerate(messages)]
        if entries:
            self._call("delete_message_batch", Entries=entries)

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def _call(self, operation: str, **arguments: object) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._client, operation)(QueueUrl=self._url, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            raise Unavailable(f"The queue of mail events answered {code}.") from None
        except BotoCoreError as error:
            raise Unavailable(f"The queue of mail events cannot be reached ({type(error).__name__}).") from None
        return answer

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 # boto3's clients have no types
        import boto3  # takes 200 ms to import
        from botocore.config import Config

        config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        region = region_of(self._parts.hostname or "")
        return boto3.client("sqs", region_name=region, endpoint_url=self._origin, config=config)
