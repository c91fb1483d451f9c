/* Draws the charts whose JSON stands in the page. Fetches nothing and holds no figures. */
(function () {
  "use strict";

  function draw(block) {
    var holder = document.getElementById(block.getAttribute("data-chart"));
    var chart = JSON.parse(block.textContent);
    holder.textContent = "";
    window.Plotly.newPlot(holder, chart.data, chart.layout, chart.config);
  }

  function start() {
    if (window.Plotly) {
      document.querySelectorAll("script[data-chart]").forEach(draw);
    }
    document.documentElement.setAttribute("data-charts", "drawn");
  }

  /* On paper there is nothing to click: tables and notes are printed open. */
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("figure details, .comparability details").forEach(function (details) {
      details.open = true;
    });
  });

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
