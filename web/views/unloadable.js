import { ApiError } from "../lib/api-error.js";
import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { errorNotice } from "../parts/message.js";

/** The page shown when a view's code could not be fetched. Only a reload helps. */
export function unloadableView() {
  const sorry = errorNotice(new ApiError({ status: 0, code: "network" }), () => location.reload());
  return {
    title: t("unloadable.title"),
    node: element("div", { class: "page" }, element("h1", { class: "display" }, t("unloadable.title")), sorry),
  };
}
