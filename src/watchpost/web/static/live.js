// Live pages: when the server reports a change, the page is fetched again and its live parts are replaced.
// Without this script every page works as well; the reader then reloads it.
"use strict";
(() => {
  const parts = () => document.querySelectorAll("[data-live]");
  if (!parts().length || !window.EventSource) return;
  const status = document.getElementById("live");
  let busy = false, again = false;

  const update = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html", "x-watchpost-live": "1" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of parts()) {
        const next = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
        // A part that is open or holds the keyboard focus is left alone: somebody is reading it.
        if (!next || old.contains(document.activeElement) || old.querySelector("details[open]")) continue;
        if (old.innerHTML !== next.innerHTML) old.replaceChildren(...next.childNodes);
      }
      status.textContent = "";
    } catch {
      status.textContent = "This page cannot be updated right now.";
    }
    busy = false;
    if (again) { again = false; update(); }
  };

  const source = new EventSource("/live");
  source.addEventListener("moved", update);
  source.addEventListener("error", () => { status.textContent = "Not connected: this page may be out of date."; });
  source.addEventListener("open", () => { status.textContent = ""; });
  addEventListener("pagehide", () => source.close());
})();
