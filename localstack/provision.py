"""Create what Easel needs of S3, SQS, SES and Secrets Manager, as far as the server supports it.

    python localstack/provision.py [bucket] [queue] [mail] [mail-events] [secrets]

Without a name it creates all. It needs only boto3, and reads Easel's EASEL_ variables and boto3's own
(AWS_ENDPOINT_URL, AWS_REGION, the keys). Existing things are kept; running it again changes nothing. It prints one line
for each thing. Exit code 0: everything exists, except what the lines call left out; 1: a server refused or did not
answer; 2: a wrong argument or variable.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping

from provisioning.bucket import bucket
from provisioning.clients import Wrong
from provisioning.mail import mail
from provisioning.queue import mail_events, queue
from provisioning.secrets import secrets

PARTS: dict[str, Callable[[Mapping[str, str]], Iterable[str]]] = {
    "bucket": bucket,
    "queue": queue,
    "mail": mail,
    "mail-events": mail_events,
    "secrets": secrets,
}


def main(arguments: list[str], env: Mapping[str, str]) -> int:
    """Set up the named parts, or all; return the exit code."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return _complain(1, "This needs boto3, which this Python does not have.")
    try:
        for name in arguments:
            if name not in PARTS:
                raise Wrong(f"'{name[:40]}' is not one of {', '.join(PARTS)}.")
        for name in arguments or PARTS:
            for line in PARTS[name](env):
                print(line, flush=True)
    except Wrong as wrong:
        return _complain(2, str(wrong))
    except ClientError as error:
        return _complain(1, f"{error.operation_name} was refused: {error.response['Error']['Code']}.")
    except BotoCoreError as error:
        return _complain(1, str(error))
    return 0


def _complain(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
