"""The words that the painter knows: English whole words, Russian stems (a word that begins so)."""

MOTIFS: dict[str, tuple[str, str]] = {
    "mountains": (
        "mountain mountains alps peak peaks ridge valley highlands summit hillside",
        "гор горн вершин долин хребе хребт альп",
    ),
    "volcano": ("volcano volcanoes volcanic eruption erupting lava", "вулкан изверж лава лавы лавой"),
    "canyon": ("canyon canyons gorge ravine mesa", "каньон ущель"),
    "cliff": ("cliff cliffs crag crags rocks rocky", "утёс утес обрыв скал"),
    "waterfall": ("waterfall waterfalls cascade cascades falls", "водопад"),
    "sea": (
        "sea seas ocean oceans beach coast shore waves wave bay harbour harbor port seaside surf lagoon",
        "море моря морск морю морем океан берег побереж волн бухт залив гаван порту портов пляж",
    ),
    "lake": (
        "lake lakes pond water reflection reflections fjord",
        "озер озёр пруд вод отражен",
    ),
    "river": ("river rivers stream streams brook creek", "рек реч ручей ручь"),
    "bridge": ("bridge bridges viaduct aqueduct", "мост мосты моста виадук акведук"),
    "forest": (
        "forest forests wood woods woodland jungle pines firs spruces birches taiga grove",
        "лес леса лесн лесу лесом тайг сосны сосен ели елей ёлки елки ельник джунгл бор рощ березняк",
    ),
    "tree": (
        "tree trees oak willow birch maple sakura cherry palm palms orchard pine fir spruce cypress",
        "дерев дуб ива берез берёз клен клён сакур пальм яблон сосна сосну ель ёлка елка кипарис",
    ),
    "park": ("park parks", "парк парка парке"),
    "garden": ("garden gardens", "сад сады сада саду"),
    "city": (
        "city cities skyline skyscraper skyscrapers downtown metropolis buildings cyberpunk",
        "город небоскр мегаполис здани киберпанк",
    ),
    "street": ("street streets alley avenue boulevard lane", "улиц улочк переул бульвар проспект"),
    "village": ("village villages hamlet town towns", "деревн деревень село селе посёл посел городок городк"),
    "house": (
        "house houses cottage cabin hut home barn farm farmhouse chalet",
        "дом дома домик изб хижин коттедж ферм усадьб шале",
    ),
    "windmill": ("windmill windmills mill mills", "мельниц"),
    "church": ("church churches cathedral chapel monastery", "церк церков храм собор часовн монастыр"),
    "temple": ("temple temples pagoda pagodas shrine torii", "пагод святилищ"),
    "lighthouse": ("lighthouse lighthouses beacon", "маяк"),
    "ruins": ("ruin ruins ruined", "руин развалин"),
    "castle": (
        "castle castles fortress tower towers palace citadel",
        "замок замк крепост башн дворец дворц",
    ),
    "road": ("road roads path paths track trail way highway", "дорог тропин тропа тропк шоссе путь"),
    "desert": (
        "desert deserts dune dunes sand sands sahara oasis caravan",
        "пустын дюн песк песок песч бархан оазис караван",
    ),
    "field": (
        "field fields meadow meadows grass plain plains prairie steppe hills hill wheat pasture countryside landscape "
        "farmland terraces vineyard",
        "поле поля полян луг степ холм трав пшени равнин пейзаж террас виноград",
    ),
    "flowers": (
        "flower flowers rose roses poppy poppies tulip tulips lavender sunflower sunflowers blossoms daisies daisy",
        "цвет роз мак маки маков тюльпан лаванд подсолн ромашк",
    ),
    "island": ("island islands isle islet", "остров"),
    "boat": (
        "boat boats ship ships sail sailboat sails yacht sailing vessel galleon frigate schooner caravel rowboat canoe "
        "gondola steamer steamship trawler",
        "лодк кораб парус яхт судно шлюпк фрегат галеон шхун каравелл каноэ пароход гондол",
    ),
    "balloon": ("balloon balloons", "аэростат шар шары"),
    "rainbow": ("rainbow rainbows", "радуг"),
    "lightning": ("lightning thunder thunderbolt thunderstorm", "молни гроз"),
    "planet": ("planet planets saturn jupiter", "планет сатурн юпитер"),
    "nebula": ("nebula galaxy galaxies cosmos cosmic universe space", "космос космич галактик вселенн туманност"),
    "moon": ("moon moonlight moonlit crescent", "лун месяц"),
    "sun": ("sun sunny sunlight sunshine sunbeam", "солнц солнеч"),
    "stars": (
        "star stars starry milky",
        "звезд звёзд",
    ),
    "clouds": ("cloud clouds cloudy overcast thunderclouds", "облак облач туч пасмур"),
    "rain": ("rain rainy raining storm stormy thunderstorm downpour drizzle", "дожд дождь ливень ливн гроз шторм бур"),
    "snow": ("snow snowfall snowing snowflakes blizzard", "снегоп метел вьюг снежин"),
    "fog": ("fog foggy mist misty haze hazy smoke", "туман дымк мгл"),
    "aurora": ("aurora borealis northern polar", "сияни полярн аврор"),
    "fire": ("fire bonfire campfire flame flames burning", "огон огн костр костё костер плам пожар"),
    "abstract": (
        "abstract abstraction psychedelic mandala fractal kaleidoscope geometry geometric pattern dream swirl",
        "абстрак фрактал узор психодел геометр мандал",
    ),
    "geometry": (
        "geometry geometric cubism cubist suprematism constructivism",
        "геометр кубизм супремат",
    ),
    "colour field": ("minimal minimalist minimalism", "минимализ"),
    "ribbons": (
        "music melody symphony jazz sound cello violin ribbons flow flowing",
        "музык мелоди симфони звук скрипк",
    ),
    "mandala": ("psychedelic mandala fractal kaleidoscope spiral", "фрактал психодел мандал спирал"),
    "cat": (
        "cat cats kitten kittens kitty ginger tabby",
        "кот коты кота коту котом кошк кошек кошач котён котен котят",
    ),
    "dog": ("dog dogs puppy puppies hound", "собак собач пёс пса щенок щенк"),
    "horse": ("horse horses pony mare stallion foal", "лошад конь коня кони коней жеребен жеребён"),
    "bird": (
        "bird birds sparrow sparrows robin finch canary swallow eagle hawk dove pigeon crane hummingbird bluebird "
        "owl owls raven ravens crow crows swan swans duck ducks duckling goose geese gull gulls seagull seagulls "
        "parrot parrots macaw bullfinch bullfinches cardinal",
        "птиц птич воробе воробь орёл орла орлы ласточк канарейк синиц журавл "
        "сова сову совы совой сове совён совен филин ворон лебед утка утку утки уток утён утен гусь гуси "
        "чайка чайку чайки чаек попуга снегир",
    ),
    "owl": ("owl owls", "сова сову совы совой сове совён совен филин"),
    "raven": ("raven ravens crow crows", "ворон"),
    "swan": ("swan swans goose geese", "лебед гусь гуси"),
    "duck": ("duck ducks duckling", "утка утку утки уток утён утен"),
    "gull": ("gull gulls seagull seagulls", "чайка чайку чайки чаек"),
    "parrot": ("parrot parrots macaw", "попуга"),
    "bullfinch": ("bullfinch bullfinches", "снегир"),
    "flock": (
        "birds flock flocks ravens crows gulls seagulls geese swallows cranes swans ducks",
        "стая стаю стаи птицы птицами вороны чайки чаек журавли лебеди",
    ),
    "fish": (
        "fish fishes goldfish koi carp trout whale whales dolphin dolphins shark sharks aquarium underwater "
        "кит кита киты китов китом",
        "рыб карп аквариум дельфин акул подводн",
    ),
    "koi": ("koi carp", "карп"),
    "whale": ("whale whales кит кита киты китов китом", ""),
    "dolphin": ("dolphin dolphins", "дельфин"),
    "shark": ("shark sharks", "акул"),
    "branch": ("branch branches twig bough", "ветк ветв сучок"),
    "roof": ("roof roofs rooftop rooftops", "крыш"),
    "window": ("window windows windowsill sill", "окно окна окне окном окон подоконник"),
    "portrait": ("portrait portraits face faces bust head eyes selfie", "портрет лицо лица лице глаза"),
    "woman": (
        "woman women lady girl girls queen princess grandmother grandma witch ballerina mother",
        "женщин девушк девочк дама даму королев царев принцес старух старуш бабуш ведьм мать",
    ),
    "man": (
        "man men gentleman boy boys king prince grandfather grandpa knight wizard monk sailor father",
        "мужчин мужск парень парня юнош мальчик король короля королю царь царя принц старик дед дедуш рыцар волшебник "
        "монах моряк отец",
    ),
    "elder": ("grandmother grandma grandfather grandpa wizard", "старух старуш бабуш старик дед дедуш"),
    "royal": ("king queen prince princess", "король короля королю королев царь царя царев принц принцес"),
    "child": ("girl girls boy boys child children kid kids", "девочк мальчик ребён ребен дети детей"),
    "people": ("people person crowd couple figure figures traveller walker", "люди людей человек толпа пара путник"),
    "hair": ("hair haired redhead blonde brunette curls braid", "волос рыжеволос блондинк брюнетк кудри коса"),
    "beard": ("beard bearded moustache mustache", "бород усы усами"),
    "hat": ("hat hats cap bonnet", "шляп шапк кепк"),
    "crown": ("crown crowns tiara", "корона короне короной корону"),
    "clothes": ("dress coat cloak scarf shawl gown robe suit", "плать пальто плащ шарф шаль костюм"),
    "fruit": (
        "fruit fruits apple apples pear pears grapes lemon lemons oranges peach peaches plums cherries berries",
        "фрукт яблок яблоч груша груши грушу грушей груш виноград лимон апельсин персик слив",
    ),
    "apples": ("apple apples", "яблок яблоч"),
    "pears": ("pear pears", "груша груши грушу грушей груш"),
    "grapes": ("grapes", "виноград"),
    "lemons": ("lemon lemons", "лимон"),
    "oranges": ("oranges peach peaches", "апельсин персик"),
    "still life": ("fruit fruits", "натюрморт фрукт"),
    "bowl": ("bowl bowls plate dish", "миск чаша чаше чашу тарелк блюд"),
    "vase": ("vase vases bouquet jug pitcher", "ваза вазе вазу вазой вазы букет кувшин"),
    "bottle": ("bottle bottles wine", "бутыл вино вина вином"),
    "bread": ("bread loaf baguette", "хлеб батон"),
    "candle": ("candle candles candlelight", "свеч"),
    "teapot": ("teapot kettle tea", "чайник чай чая чаем"),
    "book": ("book books", "книг"),
    "table": ("table tabletop tablecloth стол стола столе столом столу столы", ""),
}

TIMES: dict[str, tuple[str, str]] = {
    "dawn": ("dawn sunrise daybreak morning", "рассвет утр восход заря"),
    "day": ("day noon midday daylight bright", "день дня днем днём полдень"),
    "golden": ("golden afternoon", "золотой"),
    "sunset": ("sunset dusk evening twilight sundown", "закат вечер сумер"),
    "night": ("night midnight nocturnal dark moonlit starry", "ноч полноч тёмн темн"),
}

SEASONS: dict[str, tuple[str, str]] = {
    "spring": ("spring april may sakura blossom", "весн апрел майск сакур"),
    "summer": ("summer june july", "лет летн июн июл"),
    "autumn": ("autumn fall september october november", "осен сентяб октяб нояб"),
    "winter": (
        "winter december january christmas snow snowy snowfall blizzard frost frozen ice icy glacier arctic",
        "зим декаб январ новогод рождеств снег снеж мороз лёд ледян метел вьюг",
    ),
}

MOODS: dict[str, tuple[str, str]] = {
    "calm": ("calm peaceful quiet serene tranquil soft gentle still", "спокой тих мирн безмятеж нежн мягк"),
    "gloomy": (
        "gloomy dark sad grim mysterious lonely melancholy haunted eerie stormy",
        "мрачн груст печал тёмн темн таинств одинок",
    ),
    "dramatic": (
        "dramatic epic majestic storm fiery powerful fantasy magic magical",
        "драматич эпич величеств мощн фэнтез волшеб магич",
    ),
    "dreamy": ("dreamy dream pastel ethereal fairy fairytale", "мечтател пастел сказоч сонн"),
    "warm": ("warm cosy cozy tender", "тёпл тепл уютн"),
    "cold": ("cold cool frosty icy", "холодн ледян прохлад"),
    "vivid": ("vivid bright colorful colourful vibrant neon saturated", "ярк красочн неон"),
}

COLOURS: dict[str, tuple[str, str, tuple[float, float, float]]] = {
    "red": ("red crimson scarlet ruby", "красн алый алая алое алые багр", (0.80, 0.13, 0.12)),
    "orange": ("orange amber", "оранж рыж янтар", (0.96, 0.52, 0.13)),
    "yellow": ("yellow gold", "желт жёлт золот", (0.97, 0.80, 0.22)),
    "green": ("green emerald olive", "зелен зелён изумруд", (0.20, 0.58, 0.26)),
    "turquoise": ("turquoise teal cyan aqua mint", "бирюз мятн", (0.13, 0.66, 0.66)),
    "blue": ("blue azure sapphire indigo navy", "син голуб лазур", (0.14, 0.36, 0.80)),
    "violet": ("violet purple lilac lavender", "фиолет пурпур сирен лилов", (0.52, 0.27, 0.74)),
    "pink": ("pink rose magenta", "розов малинов", (0.95, 0.50, 0.66)),
    "brown": ("brown sepia", "коричнев бур", (0.46, 0.30, 0.18)),
    "white": ("white ivory pearl", "бел", (0.95, 0.95, 0.94)),
    "grey": ("grey gray silver", "сер серебр", (0.55, 0.56, 0.58)),
    "black": ("black ebony", "черн чёрн", (0.08, 0.08, 0.10)),
}

OWN_COLOURS: dict[str, tuple[str, str]] = {
    "popp": ("flowers", "red"),
    "мак": ("flowers", "red"),
    "rose": ("flowers", "red"),
    "lavender": ("flowers", "violet"),
    "лаванд": ("flowers", "violet"),
    "sunflower": ("flowers", "yellow"),
    "подсолн": ("flowers", "yellow"),
    "wheat": ("field", "yellow"),
    "пшени": ("field", "yellow"),
    "sakura": ("tree", "pink"),
    "cherry": ("tree", "pink"),
    "сакур": ("tree", "pink"),
    "ginger": ("cat", "orange"),
    "goldfish": ("fish", "orange"),
    "canary": ("bird", "yellow"),
    "канарейк": ("bird", "yellow"),
    "cardinal": ("bird", "red"),
    "bluebird": ("bird", "blue"),
    "dove": ("bird", "white"),
    "redhead": ("hair", "orange"),
    "рыжеволос": ("hair", "orange"),
    "blonde": ("hair", "yellow"),
    "блондин": ("hair", "yellow"),
    "brunette": ("hair", "brown"),
    "брюнет": ("hair", "brown"),
}
"""What has a colour by itself: the beginning of its word, the motif, the colour."""

KINDS: dict[str, tuple[str, str]] = {
    "galleon": ("pirate pirates galleon frigate schooner caravel brig", "пират галеон фрегат каравелл шхун парусник"),
    "steamer": ("steamer steamship steamboat liner", "пароход теплоход лайнер"),
    "rowboat": ("rowing rowboat canoe dinghy gondola", "лодк шлюпк каноэ гондол"),
    "fishing boat": ("fishing trawler", "рыбац рыболов"),
    "several": ("boats ships sails sailboats yachts regatta fleet", "лодки корабли яхты флот"),
    "rough": ("storm stormy tempest waves", "шторм бур волны волнах"),
    "beach": ("beach sands", "пляж"),
    "harbour": ("harbour harbor port marina", "гаван порту портов пристан"),
    "half-timbered": ("timbered tudor", "фахверк"),
    "chalet": ("chalet alpine alps", "шале"),
    "hut": ("hut cabin shack", "хижин изб"),
    "barn": ("barn farm farmhouse", "ферм амбар"),
    "crescent": ("crescent", "месяц полумесяц"),
    "birch": ("birch birches", "берез берёз"),
    "pine": ("pine pines", "сосн сосен"),
    "willow": ("willow willows", "ива ивы"),
    "oak": ("oak oaks", "дуб"),
    "cypress": ("cypress cypresses tuscan tuscany", "кипарис тоскан"),
    "farmland": ("farmland farm countryside pasture", "ферм пастбищ деревн"),
    "tuscan": ("tuscan tuscany vineyard cypress cypresses", "тоскан виноград кипарис"),
    "terraces": ("terraces terraced rice", "террас"),
    "steppe": ("steppe prairie plain plains", "степ прери равнин"),
    "wheat": ("wheat rye barley", "пшени рожь ржи"),
    "poppies": ("poppy poppies", "мак маки маков"),
    "sunflowers": ("sunflower sunflowers", "подсолн"),
    "lavender": ("lavender", "лаванд"),
    "tulips": ("tulip tulips", "тюльпан"),
    "roses": ("rose roses", "роза розы роз"),
    "daisies": ("daisy daisies", "ромашк"),
    "neon": ("neon cyberpunk", "неон киберпанк"),
    "oasis": ("oasis", "оазис"),
    "caravan": ("caravan camel camels", "караван верблюд"),
    "mesa": ("mesa mesas butte", "меса столов"),
    "pagoda": ("pagoda pagodas", "пагод"),
    "torii": ("torii shrine", "святилищ"),
    "walk": ("path paths trail way", "тропин тропа тропк"),
    "sunbeams": ("sunbeam sunbeams rays sunlight", "лучи лучах лучей"),
}
"""Finer words: they change how a motif looks. One word may name a motif, a kind and an hour at once."""

PHRASES: dict[str, tuple[str, ...]] = {
    "aloft": ("above the clouds", "in the clouds", "over the clouds", "sea of clouds", "над облак", "в облаках"),
    "full moon": ("full moon", "полная луна", "полной лун", "полнолун"),
    "inside": (
        *("forest path", "path through the forest", "in the forest", "in the woods", "through the woods"),
        *("deep forest", "inside the forest", "inside a forest", "into the forest", "в лесу", "лесная троп", "чаща"),
    ),
    "several": ("many boats", "several boats", "many ships", "много лодок"),
}
"""Kinds that only several words together name: beginnings of them, as a prompt writes them."""

EVERGREENS = ("pine", "firs", "spruce", "taiga", "сосн", "ель", "ёлк", "ельник", "елов", "тайг", "хвой")

PALMS = ("palm", "tropic", "пальм", "тропич")
SKY_WORDS = ("sky", "skies", "неб")

MEDIA: dict[str, tuple[str, str, str]] = {
    "oil": (
        "oil painting, oil paint, oil paints, oil on canvas, in oil, in oils, impasto, acrylic, маслян, маслом, масло",
        "painting, painted, brush strokes, brushstrokes, живопис, картин",
        "thick brush strokes, thick strokes, thick paint, on canvas, canvas, холст, на холсте, краск, мазк",
    ),
    "watercolour": (
        "watercolour, watercolor, watercolours, watercolors, aquarelle, акварел",
        "wet paper",
        "soft edges, on paper, wash, washes, на бумаге, painting, краск",
    ),
    "ink": (
        "ink, ink drawing, ink wash, sumi e, sumie, engraving, туш, чернил, гравюр",
        "pen drawing, calligraphy",
        "pen, brush, on paper, lines, пером, на бумаге",
    ),
    "pencil": (
        "pencil, pencil sketch, pencil drawing, graphite, charcoal, crayon, карандаш, уголь, углем, углём, графит",
        "drawing, sketch, sketched, hatching, рисунок, рисунк, эскиз, набросок, наброск, штрих",
        "on paper, cross, на бумаге",
    ),
    "low_poly": (
        "low poly, lowpoly, polygons, polygonal, лоу поли, лоуполи, полигон",
        "triangles, polygon, треугольник",
        "flat, flat triangles, style, низко",
    ),
    "pixel_art": (
        "pixel art, pixelart, pixel, pixels, pixelated, 8-bit, 16-bit, пиксель арт, пиксел",
        "retro game, video game",
        "retro, game, sprite, арт, игр",
    ),
    "stained_glass": ("stained glass, stained glass window, витраж", "lead lines", "window, leaded, glass, стекл"),
    "mosaic": ("mosaic, mosaics, tesserae, мозаи", "", "small stones, of small stones, stones, tiles, плитк, камешк"),
    "photo": (
        "photograph, photo, photography, photorealistic, photographic, фото, фотограф, фотореалис",
        "",
        "natural light, dslr, bokeh, lens, film, grain, shot",
    ),
    "render": (
        "unreal engine, octane render, ray tracing",
        "detailed render, render, rendered, рендер",
        "detailed, engine, cinematic",
    ),
    "concept": (
        "concept art, digital painting, digital art, trending on artstation, artstation, концепт арт",
        "",
        "trending, trending on, арт",
    ),
}
"""Media: phrases that name one exactly, phrases that give way to such, phrases that mean nothing beside them.

Phrases stand between commas; a phrase of Russian consists of stems."""

MONOCHROME = (
    "black and white, monochrome, monochromatic, greyscale, grayscale, чёрно бел, черно бел, чернобел, чёрнобел"
)
"""Without colours; the words belong to ink, but another medium may be named beside them."""

_SMALL = (
    "a an the of in on at by with and or to from over under above near into for is are very some no not "
    "light picture image view scene art style as like beautiful "
    "и во в на с со у к по над под из за от до не а но же при очень о об"
)
SMALL_WORDS = frozenset(_SMALL.split())
"""Words that say nothing about the picture."""
