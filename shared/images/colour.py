"""Conversion of decoded pictures to plain RGB in sRGB."""

import io

from PIL import Image, ImageCms

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_GREY = ("1", "L", "LA")
_PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError)


def plain_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return a copy in RGB, in the units of sRGB, without metadata. Transparent pixels become white.

    profile: the picture's ICC profile; one that cannot be used for these pixels is ignored.
    """
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    plain = _srgb(image, profile) if profile else None
    if plain is None:
        # A palette converts its transparency through RGBA only.
        plain = (image.convert("RGBA") if alpha else image).convert("RGB")
    plain.info = {}
    if alpha is None:
        return plain
    white = Image.new("RGB", image.size, "white")
    white.paste(plain, mask=alpha)
    return white


def _srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert the pixels from their profile to sRGB; None if the profile cannot be used for them."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[source.profile.xcolor_space.strip()]
        fits = image.mode == "CMYK" if mode == "CMYK" else mode == "RGB" or image.mode in _GREY
        if not fits or (mode == "RGB" and image.mode == "CMYK"):
            return None
        pixels = image if image.mode == mode else image.convert("RGBA" if mode == "RGB" else mode).convert(mode)
        return ImageCms.profileToProfile(pixels, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except _PROFILE_ERRORS:
        return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits per pixel in 8, where Pillow's own conversion clips at 255.

    The one value that means transparent, if there is one, becomes transparency.
    """
    clear = image.info.get("transparency")
    wide = image.convert("I")
    grey = wide.point(lambda value: value * (1 / 256)).convert("L")
    grey.info = {}
    if not isinstance(clear, int):
        return grey
    table = [0 if value == clear else 255 for value in range(65536)]
    grey.putalpha(wide.point(table, "L"))
    return grey
