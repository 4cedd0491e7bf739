// Copy buttons exist only where copying works; without script the numbers are there to read and mark.
(function () {
  if (!navigator.clipboard) return;
  document.querySelectorAll(".copy").forEach(function (button) {
    var word = button.textContent, said = document.getElementById("copied");
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        button.firstChild.textContent = said.dataset.word;
        said.textContent = said.dataset.word;
        setTimeout(function () { button.firstChild.textContent = button.dataset.word; said.textContent = ""; }, 3000);
      }, function () {});
    });
  });
})();
