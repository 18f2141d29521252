"""What a picture's file says of its origin, in IPTC's vocabulary of digital sources, for programs that label pictures.

The statement is XMP: in a PNG the chunk that XMP's specification names, in a WebP its own. Equal origins have equal
bytes.
"""

from shared.images.recipe import Recipe

PNG_KEYWORD = "XML:com.adobe.xmp"

_UNTRAINED = "painter"
"""The engine that has learned from no pictures: it follows rules that people have written."""

_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{source}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def origin_xmp(recipe: Recipe) -> str:
    """Return the statement for a picture with this recipe; an empty text for one that was only described."""
    source = _digital_source(recipe)
    return _XMP.format(source=source) if source else ""


def _digital_source(recipe: Recipe) -> str | None:
    if recipe.source_images and (recipe.settings.get("strength") or 0) < 0:
        return "algorithmicallyEnhanced" if (recipe.settings.get("upscale") or 1) > 1 else None
    if recipe.engine == _UNTRAINED:
        return "compositeSynthetic" if recipe.source_images else "algorithmicMedia"
    return "compositeWithTrainedAlgorithmicMedia" if recipe.source_images else "trainedAlgorithmicMedia"
