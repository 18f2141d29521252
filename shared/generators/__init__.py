"""Clients of the image generators: one module per protocol behind the interface in `base`."""

from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator


def connect(address: GeneratorAddress) -> Generator:
    """Return the client for an address; nothing is sent yet. Raises ValueError for an unknown protocol."""
    # Imported here, so that reading an address (settings do) costs no HTTP library.
    if address.protocol == "img_generator":
        from shared.generators.img_generator import ImgGenerator

        return ImgGenerator(address)
    if address.protocol == "sdapi":
        from shared.generators.sdapi import Sdapi

        return Sdapi(address)
    if address.protocol == "horde":
        from shared.generators.horde import Horde

        return Horde(address)
    if address.protocol == "glide":
        from shared.generators.glide import Glide

        return Glide(address)
    if address.protocol == "openai":
        from shared.generators.openai import OpenAi

        return OpenAi(address)
    raise ValueError("there is no client for this generator protocol.")
