// Keeps the parts of a page that are marked `data-live` up to date while somebody else (a bot) works.
"use strict";
(() => {
  const every = 1500;
  let revision = document.body.dataset.revision;

  const keepFolds = (old, fresh) => {
    const folds = [...old.querySelectorAll("details")];
    [...fresh.querySelectorAll("details")].forEach((fold, n) => {
      const before = folds[n];
      if (before && before.querySelector("summary").textContent === fold.querySelector("summary").textContent) {
        fold.open = before.open;
      }
    });
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${old.dataset.live}"]`);
      if (fresh && fresh.innerHTML !== old.innerHTML) {
        keepFolds(old, fresh);
        old.replaceWith(fresh);
      }
    }
    const tabs = page.querySelector(".tabs");
    if (tabs) document.querySelector(".tabs").replaceWith(tabs);
  };

  setInterval(async () => {
    if (document.hidden) return;
    try {
      const now = await (await fetch("/pulse")).text();
      if (now !== revision) {
        revision = now;
        await refresh();
      }
    } catch {
      // The sandbox was stopped; the page stays as it is.
    }
  }, every);

  // On the form for a new service, file and title follow the name until they are changed by hand.
  const content = document.getElementById("content");
  for (const field of document.querySelectorAll("[data-follows=content]")) {
    field.addEventListener("input", () => delete field.dataset.follows);
    content.addEventListener("input", () => {
      const name = /^name:[ \t]*([a-z][-a-z0-9]*)[ \t]*$/m.exec(content.value);
      if (!name || !field.dataset.follows) return;
      field.value = field.id === "path" ? `services/${name[1]}/platform.yaml` : `Add ${name[1]}`;
    });
  }
})();
