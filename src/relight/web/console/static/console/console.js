/* The console's few lines of script. Without them every page still works: links load pages, acts are pages of forms. */
(() => {
  const EVERY_MS = 5000;
  const SHOWN_MS = 6000;
  const dialog = () => document.getElementById("dialog");
  const isTyping = () => document.activeElement?.matches("#live select, #live input:not([type=checkbox]), #live textarea");
  const hasChosen = () => document.querySelector("#live input[name=chosen]:checked") !== null;

  /* The page renews itself: not while hidden, nor under somebody's hands. */
  const tick = () => htmx.trigger(document.body, "tick");
  setInterval(() => {
    if (!document.hidden && !dialog()?.open && !isTyping() && !hasChosen()) tick();
  }, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !hasChosen()) tick(); });

  /* What was unfolded stays unfolded when the region is renewed. */
  let unfolded = new Map();
  document.addEventListener("htmx:beforeSwap", () => {
    unfolded = new Map([...document.querySelectorAll("#live details[id]")].map((one) => [one.id, one.open]));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of unfolded) {
      const found = document.getElementById(id);
      if (found) found.open = open;
    }
    count();
  });

  /* Acts open in the dialog. */
  document.addEventListener("click", (event) => {
    const act = event.target.closest("[data-act]");
    if (act && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      htmx.ajax("GET", act.href, { target: "#dialog-body", swap: "outerHTML" }).then(() => {
        if (!dialog().open) dialog().showModal();
      });
      return;
    }
    const close = event.target.closest("[data-close]");
    if (close && close.closest("dialog")) {
      event.preventDefault();
      dialog().close();
    }
    if (event.target === dialog()) dialog().close();
    const account = document.getElementById("account");
    if (account?.open && !account.contains(event.target)) account.open = false;
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("dialog form[data-form]");
    if (!form) return;
    event.preventDefault();
    const pressed = event.submitter;
    const values = Object.fromEntries(new FormData(form, pressed));
    pressed.disabled = true;
    htmx.ajax("POST", form.action, { target: "#dialog-body", swap: "outerHTML", values })
      .finally(() => { pressed.disabled = false; });
  });
  document.addEventListener("console:done", (event) => {
    if (dialog().open) dialog().close();
    say(event.detail.said, event.detail.well ? "success" : "danger");
    tick();
  });

  /* Messages that come and go by themselves. */
  const say = (text, colour) => {
    const toast = document.createElement("div");
    toast.className = "ds-alert toast";
    toast.dataset.color = colour;
    toast.textContent = text;
    const toasts = document.getElementById("toasts");
    toasts.replaceChildren(toast);
    setTimeout(() => toast.remove(), SHOWN_MS);
  };
  let unreachable = false;
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, () => {
      if (!unreachable) say(document.body.dataset.unreachable, "warning");
      unreachable = true;
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => { unreachable = false; });

  /* Choosing several. */
  const boxes = () => [...document.querySelectorAll("#live input[name=chosen]")];
  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    for (const place of document.querySelectorAll("[data-count=chosen]")) place.textContent = chosen ? `(${chosen})` : "";
    const all = document.querySelector("[data-all=chosen]");
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all=chosen]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("[data-all=chosen], input[name=chosen]")) count();
  });

  /* `/` goes to the search, Escape closes the account's sheet. */
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.getElementById("account")?.removeAttribute("open");
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea") || dialog()?.open) return;
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
})();
