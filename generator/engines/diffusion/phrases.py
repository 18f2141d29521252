"""Phrases that may suit a picture, by the protocol's kinds; CLIP chooses among them. No artist is living."""

_MEDIUMS = """
an acrylic painting, an airbrush painting, an album cover, an aquarelle, an aquatint, an architectural drawing,
a black and white photo, a book illustration, a botanical drawing, a bronze sculpture, a cave painting,
a chalk drawing, a charcoal drawing, a child's drawing, a collage, a colour photo, a comic strip, a computer rendering,
concept art, a cross stitch, a crayon drawing, a diagram, a digital painting, a diorama, a drawing, an embroidery,
an engraving, an etching, a film poster, a flat illustration, a fresco, a gouache painting, graffiti, an icon,
an illuminated manuscript, an ink drawing, an isometric drawing, a jigsaw puzzle, a linocut, a lithograph,
a long exposure photo, a low poly picture, a macro photo, a map, a marble sculpture, a marker drawing, a matte painting,
a microscope photo, a mosaic, a mural, an oil painting, an origami, a panorama photo, a pastel drawing,
a pencil sketch, a photo, a picture from a satellite, pixel art, a polaroid, a portrait photo, a postage stamp,
a poster, a risograph, a screen print, a screenshot, a silhouette, a silk painting, a stained glass window,
a stencil, a still from a film, a storybook picture, a tapestry, a tattoo, a technical drawing, a tempera painting,
a vector drawing, a vintage photo, a wallpaper, a watercolour, a wood carving, a woodcut, an X-ray photo
"""

_ARTISTS = """
Albrecht Altdorfer, Albrecht Dürer, Aleksey Savrasov, Alfred Sisley, Alphonse Mucha, Amedeo Modigliani,
Andrea Mantegna, Anna Atkins, Annibale Carracci, Anthony van Dyck, Antoine Watteau, Antonello da Messina,
Arkhip Kuindzhi, Arnold Böcklin, Artemisia Gentileschi, Arthur Rackham, Aubrey Beardsley, August Macke,
Auguste Renoir, Beatrix Potter, Berthe Morisot, Camille Corot, Camille Pissarro, Canaletto, Caravaggio,
Caspar David Friedrich, Claude Lorrain, Claude Monet, Clara Peeters, Diego Velázquez, Edgar Degas, Edmund Dulac,
Édouard Manet, Edvard Munch, Egon Schiele, El Greco, Élisabeth Vigée Le Brun, Ernst Haeckel,
Ernst Ludwig Kirchner, Eugène Atget, Eugène Delacroix, Félix Vallotton, Fra Angelico, Francisco de Zurbarán,
Francisco Goya, François Boucher, Frans Hals, Franz Marc, Frederic Church, Frederic Leighton, Georges Seurat,
Giotto, Giovanni Battista Tiepolo, Giovanni Bellini, Giuseppe Arcimboldo, Gustav Klimt, Gustave Caillebotte,
Gustave Courbet, Gustave Doré, Gustave Moreau, Hans Holbein, Harald Sohlberg, Henri de Toulouse-Lautrec,
Henri Rousseau, Hieronymus Bosch, Hilma af Klint, Hiroshige, Hokusai, Honoré Daumier, Howard Pyle, Ilya Repin,
Isaac Levitan, Ivan Aivazovsky, Ivan Bilibin, Ivan Shishkin, Jacob van Ruisdael, Jacques-Louis David,
James Whistler, Jan van Eyck, Jan Steen, Jean-Auguste-Dominique Ingres, Jean-François Millet,
Jean-Honoré Fragonard, Johan Christian Dahl, Johannes Vermeer, John Constable, John Everett Millais,
John Singer Sargent, John William Waterhouse, Joseph Mallord William Turner, Joshua Reynolds, Judith Leyster,
Julia Margaret Cameron, Juan Gris, Karl Bryullov, Kazimir Malevich, Kitagawa Utamaro,
Leonardo da Vinci, Lovis Corinth, Lucas Cranach, Maria Sibylla Merian, Mary Cassatt, Michelangelo,
Mikhail Vrubel, Odilon Redon, Ogata Korin, Paul Cézanne, Paul Gauguin, Paul Klee, Paul Signac,
Peter Paul Rubens, Pierre Puvis de Chavannes, Piero della Francesca, Piet Mondrian, Pieter Bruegel,
Rachel Ruysch, Raphael, Rembrandt, Rogier van der Weyden, Rosa Bonheur, Sandro Botticelli, Sesshu,
Shen Zhou, Suzanne Valadon, Théodore Géricault, Thomas Cole, Thomas Gainsborough, Tintoretto, Titian,
Valentin Serov, Vasily Kandinsky, Vasily Polenov, Vasily Vereshchagin, Viktor Vasnetsov, Vilhelm Hammershøi,
Vincent van Gogh, Walter Crane, Vasily Surikov, William Blake, William Hogarth, William Morris, Winslow Homer
"""

_TRENDINGS = """
trending on ArtStation, trending on DeviantArt, trending on Flickr, trending on Instagram, trending on Pinterest,
trending on Unsplash, trending on Behance, trending on Dribbble, featured on ArtStation, featured on Flickr,
featured on Pixiv, featured on Behance, a stock photo, winner of a photo contest, shown in a museum,
shown in a gallery, on the cover of a magazine
"""

_MOVEMENTS = """
abstract art, abstract expressionism, academic art, action painting, American realism, art brut, art deco,
art nouveau, arte povera, Arts and Crafts, the Barbizon school, Baroque, Bauhaus, Biedermeier, Byzantine art,
classicism, colour field painting, conceptual art, constructivism, cubism, cubo-futurism, Dada, De Stijl,
digital art, the Dutch golden age, early Netherlandish painting, Egyptian art, expressionism, fantastic realism,
Fauvism, figurative art, folk art, futurism, geometric abstraction, Gothic art, graffiti art, Greek art,
the Heidelberg school, the High Renaissance, the Hudson River school, hyperrealism, impressionism,
the Itinerants, Japonism, kinetic art, land art, literati painting, luminism, magic realism, mannerism, minimalism,
modernism, the Mughal school, naïve art, naturalism, neoclassicism, neo-expressionism, neo-impressionism,
New Objectivity, op art, orientalism, Orphism, outsider art, Persian miniature, photorealism, pictorialism,
pointillism, pop art, post-impressionism, Pre-Raphaelite art, precisionism, primitivism, psychedelic art,
Rayonism, realism, the Renaissance, Rococo, Romanesque art, romanticism, the Russian avant-garde, Secession,
socialist realism, street art, Sumi-e, suprematism, surrealism, symbolism, Synthetism, tachism, tonalism, ukiyo-e,
vaporwave, verism, vorticism
"""

_TRAITS = """
at dawn, at dusk, at night, at noon, at sunset, in autumn, in spring, in summer, in winter, in the fog, in the rain,
in the snow, under a clear sky, under a cloudy sky, under a stormy sky, under the stars, by candlelight, by firelight,
by moonlight, in sunlight, backlit, lit from the side, in deep shadow, in soft light, in harsh light, in golden light,
with neon lights, with light beams, with reflections in water, with falling leaves, with flowers in bloom, with smoke,
black and white, in sepia, in pastel colours, in vivid colours, in muted colours, in warm colours, in cold colours,
in earth colours, in shades of blue, in shades of green, in shades of red, in shades of yellow, in shades of purple,
in shades of grey, high contrast, low contrast, dark, bright, seen from above, seen from below, seen from afar,
seen from close up, from a bird's eye view, in profile, from the front, from behind, symmetrical, in the centre,
a wide view, a tilted horizon, a low horizon, a high horizon, much empty space, crowded, rich in detail, plain,
a blurred background, a plain background, sharp, out of focus, blurred by motion, grainy, with thick brushstrokes,
with fine lines, with bold outlines, with hatching, with large dots, with flat colours, with smooth shading,
with rough texture, a repeated pattern, geometric shapes, flowing curves, ornaments, calm, cheerful, dramatic,
dreamlike, eerie, festive, gloomy, lonely, majestic, melancholy, mysterious, nostalgic, peaceful, playful, romantic,
wild, ancient, futuristic, medieval, modern, old-fashioned, Victorian, indoors, outdoors, by the sea, in a city,
in a village, in a forest, in the mountains, in a garden, in a desert, on a river, under water, in space,
a portrait, a self-portrait, a group portrait, a still life, a landscape, a seascape, a cityscape, an interior,
a battle, a market, a feast, a ship, a bridge, a tower, ruins, animals, birds, horses, children, a couple, a crowd
"""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(text.split()).split(", "))


PHRASES = {
    "mediums": _listed(_MEDIUMS),
    "artists": tuple(f"by {name}" for name in _listed(_ARTISTS)),
    "trendings": _listed(_TRENDINGS),
    "movements": _listed(_MOVEMENTS),
    "traits": _listed(_TRAITS),
}
"""By the kinds of the protocol's `skip_list`; "traits" are never left out."""
