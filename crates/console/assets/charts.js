// Draws each <figure data-chart> from the table that says the same in words.
(() => {
  "use strict";

  const drawn = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function rowsOf(table) {
    return [...table.tBodies[0].rows].map((row) => {
      const time = row.querySelector("time");
      return {
        instant: new Date(time.dateTime),
        value: Number(row.querySelector("[data-value]").dataset.value),
      };
    });
  }

  function options(table) {
    const rows = rowsOf(table);
    const hour = new Intl.DateTimeFormat(window.vigie.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const soft = colour("--soft");
    const line = colour("--line");
    const text = { color: soft, fontFamily: getComputedStyle(document.body).fontFamily };
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 300,
      grid: { left: 4, right: 8, top: 12, bottom: 4, containLabel: true },
      // Rich text is drawn on the canvas: no markup, so nothing that the policy would refuse.
      tooltip: {
        trigger: "axis", renderMode: "richText", backgroundColor: colour("--surface"), borderColor: line,
        textStyle: { color: colour("--ink"), fontFamily: text.fontFamily }, axisPointer: { type: "shadow" },
      },
      xAxis: {
        type: "category", data: rows.map((row) => hour.format(row.instant)),
        axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: text,
      },
      yAxis: { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: line } } },
      series: [{
        name: table.dataset.series, type: "bar", data: rows.map((row) => row.value), barCategoryGap: "25%",
        itemStyle: { color: colour("--accent"), borderRadius: [3, 3, 0, 0] },
      }],
    };
  }

  function draw() {
    for (const { chart, table } of drawn) chart.setOption(options(table));
  }

  for (const figure of document.querySelectorAll("[data-chart]")) {
    const table = document.querySelector(`[data-chart-table="${figure.dataset.chart}"]`);
    if (!table || !window.echarts) continue;
    const chart = window.echarts.init(figure);
    drawn.push({ chart, table });
    new ResizeObserver(() => chart.resize()).observe(figure);
  }
  draw();
  document.addEventListener("vigie:theme", draw);
  document.addEventListener("vigie:fresh", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
