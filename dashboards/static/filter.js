/* Narrows the repeat-missing list by rule and by text. Without it the whole list stands there. */
(function () {
  "use strict";

  function start() {
    var form = document.getElementById("filter");
    var list = document.getElementById("children");
    if (!form || !list) {
      return;
    }
    form.hidden = false;
    var rule = form.querySelector("select");
    var text = form.querySelector("input");
    var count = document.getElementById("filter-count");
    var items = Array.prototype.slice.call(list.children);

    function apply() {
      var wanted = text.value.trim().toLowerCase();
      var seen = 0;
      items.forEach(function (item) {
        var rules = " " + item.getAttribute("data-rules") + " ";
        var fits =
          (!rule.value || rules.indexOf(" " + rule.value + " ") >= 0) &&
          (!wanted || item.textContent.toLowerCase().indexOf(wanted) >= 0);
        item.hidden = !fits;
        seen += fits ? 1 : 0;
      });
      count.textContent = seen + " of " + items.length + " shown";
    }

    form.addEventListener("submit", function (event) {
      event.preventDefault();
    });
    rule.addEventListener("change", apply);
    text.addEventListener("input", apply);
    apply();
  }

  document.addEventListener("DOMContentLoaded", start);
})();
