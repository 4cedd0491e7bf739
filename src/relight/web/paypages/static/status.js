// Asks each second for a minute; when the stage changes, the page is fetched anew and its live part put in place.
// A page without a live part (nothing was taken; a sum remains) takes the place of this one.
(function () {
  var live = document.getElementById("live"), again = document.getElementById("again"), left = 60;
  function ask() {
    if (left-- <= 0) { again.hidden = false; return; }
    fetch(live.dataset.json, { headers: { Accept: "application/json" }, cache: "no-store" })
      .then(function (answer) { if (!answer.ok) throw answer.status; return answer.json(); })
      .then(function (now) { return now.stage === live.dataset.stage ? now : show(now); })
      .then(function (now) { if (!now.final) later(); }, later);
  }
  function show(now) {
    return fetch(live.dataset.page, { cache: "no-store" })
      .then(function (answer) { if (!answer.ok) throw answer.status; return answer.text(); })
      .then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html").getElementById("live");
        if (!fresh) { location.reload(); return { final: true }; }
        live.innerHTML = fresh.innerHTML;
        live.dataset.stage = fresh.dataset.stage;
        document.title = live.querySelector("h1").textContent + document.title.slice(document.title.lastIndexOf(" \u2013 "));
        return now;
      });
  }
  function later() { setTimeout(ask, 1000); }
  again.hidden = true;
  later();
})();
