import { fill } from "./lib/dom.js";
import { rememberedLanguage } from "./lib/language.js";
import { matchRoute } from "./lib/match.js";
import { startRouter } from "./lib/router.js";
import { refresh } from "./lib/session.js";
import { loadWords, t } from "./lib/text.js";
import { announce } from "./parts/announcer.js";
import { startConnection } from "./parts/connection.js";
import { startFooter } from "./parts/footer.js";
import { startHeader } from "./parts/header.js";
import { unloadableView } from "./views/unloadable.js";

const ROUTES = [
  { pattern: "/", load: () => import("./views/gallery.js").then((module) => module.galleryView) },
  { pattern: "/gallery/:id", load: () => import("./views/picture.js").then((module) => module.pictureView) },
  { pattern: "/create", load: () => import("./views/create.js").then((module) => module.createView) },
  { pattern: "/pictures", load: () => import("./views/pictures.js").then((module) => module.picturesView) },
  { pattern: "/pictures/:id", load: () => import("./views/job.js").then((module) => module.jobView) },
  { pattern: "/account", load: () => import("./views/account.js").then((module) => module.accountView) },
  { pattern: "/login", load: () => import("./views/login.js").then((module) => module.loginView) },
  { pattern: "/signup", load: () => import("./views/login.js").then((module) => module.signupView) },
];
const missing = () => import("./views/missing.js").then((module) => module.missingView);

const language = rememberedLanguage();
// The first view comes at the same time as the words.
matchRoute(ROUTES, location.pathname)?.load().catch(() => {});
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
// When the server cannot be asked, the view says so in its own place, and the question is put again later.
const ask = () => refresh().catch(() => {});
ask();
addEventListener("online", ask);
startRouter({
  routes: ROUTES,
  missing,
  unloadable: unloadableView,
  outlet: content,
  onChange: (path, { isFirst }) => {
    showPath(path);
    if (!isFirst) announce(document.title);
  },
});
