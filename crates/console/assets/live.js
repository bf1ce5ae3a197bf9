// The live view: server-sent events as lines. Everything that comes is set as text, never as
// markup, and the list is bounded.
(() => {
  "use strict";

  const LINES = 200;
  const panel = document.querySelector("[data-live]");
  if (!panel || !window.EventSource) return;
  const list = panel.querySelector("[data-live-list]");
  const state = panel.querySelector("[data-live-state]");
  const pause = panel.querySelector("[data-live-pause]");
  const words = panel.dataset;
  const number = new Intl.NumberFormat(window.vigie.language, { maximumFractionDigits: 1 });
  let paused = false;
  let missed = 0;

  function say(text) {
    if (state.textContent !== text) state.textContent = text;
  }

  function piece(tag, className, text) {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  }

  function push(item) {
    list.prepend(item);
    while (list.children.length > LINES) list.lastElementChild.remove();
  }

  function skipped(count) {
    push(piece("li", "is-skipped", words.wordSkipped.replace("{n}", number.format(count))));
  }

  function line(message) {
    const item = piece("li", "is-new", "");
    if (message.tone) item.classList.add(`is-${message.tone}`);
    if (message.kind !== "event") item.classList.add("is-news");
    const instant = new Date(message.time);
    const time = piece("time", "when", window.vigie.localTime(instant));
    time.dateTime = message.time;
    time.title = message.utc;
    const text = piece(message.incident ? "a" : "span", "text", message.text);
    text.title = message.text;
    text.dir = "auto";
    if (message.incident) text.href = `/incidents/${encodeURIComponent(message.incident)}`;
    item.append(time, piece("span", "what", message.what), text);
    push(item);
  }

  function counters(values) {
    const set = (name, value) => {
      const element = document.querySelector(`[data-counter="${name}"]`);
      if (element) element.textContent = number.format(value);
    };
    set("rate", values.events_per_second);
    set("events", values.events);
    set("unparsed", values.unparsed);
    set("lost", values.lost);
  }

  const source = new EventSource(words.live);
  source.addEventListener("open", () => {
    if (paused) say(words.wordPaused); else say(list.children.length ? words.wordConnected : words.wordWaiting);
    // There may have been news while nobody listened.
    document.dispatchEvent(new CustomEvent("vigie:news"));
  });
  source.addEventListener("error", () => say(words.wordLost));
  source.addEventListener("line", (event) => {
    const message = JSON.parse(event.data);
    if (message.kind !== "event") document.dispatchEvent(new CustomEvent("vigie:news"));
    if (paused) { missed += 1; return; }
    say(words.wordConnected);
    line(message);
  });
  source.addEventListener("skipped", (event) => {
    const { count } = JSON.parse(event.data);
    if (paused) missed += count; else skipped(count);
  });
  source.addEventListener("counters", (event) => counters(JSON.parse(event.data)));
  addEventListener("pagehide", () => source.close());

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? words.wordResume : words.wordPause;
    say(paused ? words.wordPaused : words.wordConnected);
    if (!paused && missed) { skipped(missed); missed = 0; }
  });
})();
