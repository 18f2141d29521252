import { fill } from "./lib/dom.js";
import { addWords, loadWords, t } from "./lib/i18n.js";
import { rememberedLanguage } from "./lib/language.js";
import { fetchView, startRouter } from "./lib/router.js";
import { matchRoute } from "./lib/routes.js";
import { refreshSession } from "./lib/session.js";
import { announce } from "./parts/announcer.js";
import { startConnection } from "./parts/connection.js";
import { startFooter } from "./parts/footer.js";
import { startHeader } from "./parts/header.js";
import { unloadableView } from "./views/unloadable.js";

const language = rememberedLanguage();

// The view of each address, its style sheets beyond those of index.html, and its words beyond those of the language.
const view = (pattern, name, styles, load, words = null) => ({
  pattern,
  styles,
  load: () => Promise.all([load(), words && addWords(words, language)]).then(([module]) => module[name]),
});
const ROUTES = [
  view("/", "galleryView", ["gallery"], () => import("./views/gallery.js")),
  view("/gallery/:id", "pictureView", ["gallery", "viewer", "job"], () => import("./views/picture.js")),
  view("/create", "createView", ["easel", "create", "presets"], () => import("./views/create.js")),
  view("/create/many", "createManyView", ["create", "presets", "many"], () => import("./views/create-many.js")),
  view("/stylize", "stylizeView", ["easel", "create", "presets", "stylize"], () => import("./views/stylize.js")),
  view("/likenesses", "likenessesView", ["create", "job", "likenesses"], () => import("./views/likenesses.js")),
  view("/scenes", "scenesView", ["create", "presets", "scenes"], () => import("./views/scenes.js")),
  view("/pictures", "picturesView", ["pictures", "groups"], () => import("./views/pictures.js")),
  view(
    "/pictures/:id",
    "jobView",
    ["easel", "job", "viewer", "pictures", "scenes"],
    () => import("./views/job.js"),
    "job",
  ),
  view("/account", "accountView", ["account"], () => import("./views/account.js"), "account"),
  view("/login", "loginView", [], () => import("./views/login.js"), "account"),
  view("/signup", "signupView", [], () => import("./views/login.js"), "account"),
  view("/verify", "verifyView", [], () => import("./views/verify.js"), "account"),
  view("/reset", "resetView", [], () => import("./views/reset.js"), "account"),
];
const MISSING = view("", "missingView", [], () => import("./views/missing.js"));

// Load the first view and the texts at the same time.
fetchView(matchRoute(ROUTES, location.pathname)?.route ?? MISSING).catch(() => {});
await loadWords(language);
document.documentElement.lang = language;

const content = document.getElementById("content");
const skip = document.getElementById("skip");
const showPath = startHeader(document.getElementById("header"));
startFooter(document.getElementById("footer"), language);
startConnection();
fill(skip, t("skip"));
skip.addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
// If the server cannot be reached, the view shows it; the session is fetched again when the network is back.
const ask = () => refreshSession().catch(() => {});
ask();
addEventListener("online", ask);
startRouter({
  routes: ROUTES,
  missing: MISSING,
  unloadable: unloadableView,
  outlet: content,
  onChange: (path, { isFirst }) => {
    showPath(path);
    if (!isFirst) announce(document.title);
  },
});
