// Live pages: when the server says that something moved, this page is read again and its live parts are exchanged.
// Without this script every page works as well; a reader then asks for it again.
"use strict";
(() => {
  const parts = () => document.querySelectorAll("[data-live]");
  if (!parts().length || !window.EventSource) return;
  const said = document.getElementById("live");
  let busy = false, again = false;

  const exchange = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of parts()) {
        const next = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
        // Who is reading an opened part, or stands in it with the keyboard, is not disturbed.
        if (!next || old.contains(document.activeElement) || old.querySelector("details[open]")) continue;
        if (old.innerHTML !== next.innerHTML) old.replaceChildren(...next.childNodes);
      }
      said.textContent = "";
    } catch {
      said.textContent = "The page cannot be read again for now.";
    }
    busy = false;
    if (again) { again = false; exchange(); }
  };

  const source = new EventSource("/live");
  source.addEventListener("moved", exchange);
  source.addEventListener("error", () => { said.textContent = "Not connected: what you see may be old."; });
  source.addEventListener("open", () => { said.textContent = ""; });
  addEventListener("pagehide", () => source.close());
})();
