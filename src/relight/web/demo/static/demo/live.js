// Parts with data-live are fetched each second and put in place when they have changed. Open e-mails stay open, and a
// phone's thread (data-end) stays at its newest message.
(function () {
  "use strict";
  const EVERY_MS = 1000;

  function settle(part) {
    if (part.hasAttribute("data-end")) part.scrollTop = part.scrollHeight;
  }

  function put(part, html) {
    const open = Array.from(part.querySelectorAll("details[open]"), (one) => one.id);
    const focused = part.contains(document.activeElement);
    part.innerHTML = html;
    open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
    if (focused) { const next = part.querySelector("button, a"); if (next) next.focus({ preventScroll: true }); }
    settle(part);
    begin(part);
  }

  async function follow(part) {
    let last = null;
    while (part.isConnected) {
      await new Promise((done) => setTimeout(done, EVERY_MS));
      if (document.hidden) continue;
      try {
        const answer = await fetch(part.dataset.live, { cache: "no-store" });
        if (!answer.ok) continue;
        const html = await answer.text();
        if (part.id === "stage" && html.includes('class="scene"')) { location.reload(); return; }
        if (html !== last) put(part, html);
        last = html;
      } catch (gone) { /* the demo is ending, or starting: asked again in a second */ }
    }
  }

  function begin(root) {
    root.querySelectorAll("[data-live]").forEach((part) => { settle(part); follow(part); });
  }

  begin(document);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
    form.reset();
  });
})();
