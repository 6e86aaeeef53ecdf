/* Keeps a part of the page fresh while something is under way. Without JavaScript the page reloads itself instead. */
"use strict";

for (const part of document.querySelectorAll("[data-live]")) {
  const every = 2000;
  const look = async () => {
    try {
      const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect" || (answer.status >= 400 && answer.status < 500)) return location.reload();
      const text = answer.ok ? await answer.text() : part.dataset.seen;
      if (text !== part.dataset.seen) {
        part.innerHTML = text;
        part.dataset.seen = text;
      }
      if (part.querySelector("[data-done]")) return location.reload();
    } catch {
      /* The network or the server is away for a moment: try again. */
    }
    setTimeout(look, every);
  };
  setTimeout(look, every / 2);
}

/* What has gone wrong in a form, or what was asked for, is told first. */
document.querySelector("[data-errors], [data-told]")?.focus();
