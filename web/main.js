import { element, fill } from "./lib/dom.js";
import { startRouter } from "./lib/router.js";
import { refresh } from "./lib/session.js";
import { t } from "./lib/text.js";
import { announce } from "./parts/announcer.js";
import { startHeader } from "./parts/header.js";
import { createView } from "./views/create.js";
import { galleryView } from "./views/gallery.js";
import { jobView } from "./views/job.js";
import { loginView, signupView } from "./views/login.js";
import { missingView } from "./views/missing.js";
import { picturesView } from "./views/pictures.js";

const ROUTES = [
  { pattern: "/", view: galleryView },
  { pattern: "/create", view: createView },
  { pattern: "/pictures", view: picturesView },
  { pattern: "/pictures/:id", view: jobView },
  { pattern: "/login", view: loginView },
  { pattern: "/signup", view: signupView },
];

const content = document.getElementById("content");
const footer = document.getElementById("footer");
const showPath = startHeader(document.getElementById("header"));

fill(footer, element("span", {}, t("footer.line")), element("a", { href: "/docs" }, t("footer.api")));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
// When the server cannot be asked, the view says so in its own place, and the question is put again later.
const ask = () => refresh().catch(() => {});
ask();
addEventListener("online", ask);
startRouter(ROUTES, missingView, content, (path, { isFirst }) => {
  showPath(path);
  if (!isFirst) announce(document.title);
});
