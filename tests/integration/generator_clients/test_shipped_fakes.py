"""`python -m shared.testing`: fakes that anybody can start."""

import subprocess
import sys

from shared.generators import connect
from shared.generators.addresses import PROTOCOLS, parse_addresses
from shared.testing.__main__ import FAKES
from tests.support.exchange import decoded, make
from tests.support.orders import order
from tests.support.processes import started

PROGRAM = [sys.executable, "-m", "shared.testing"]


def test_it_prints_the_entries_of_fakes_that_draw() -> None:
    with started([*PROGRAM, "openai", "sdapi"], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        with program.stdout as lines:
            addresses = parse_addresses(lines.readline())
        for address in addresses:
            client = connect(address)
            client.health()
            assert [image.size for image in decoded(make(client, order()))] == [(64, 64)]
            client.close()
        program.terminate()
        assert program.wait(30) == 0
    assert [address.protocol for address in addresses] == ["openai", "sdapi"]


def test_every_protocol_has_a_fake() -> None:
    assert FAKES.keys() == PROTOCOLS.keys()
    done = subprocess.run([*PROGRAM, "nonsense"], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert all(protocol in done.stderr for protocol in PROTOCOLS)
