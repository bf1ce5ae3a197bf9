// What every page does beyond HTML: local times, the theme switch, questions before forms,
// a hint at how strong a password is. Without it everything still works.
(() => {
  "use strict";

  // The page's language in the reader's own region; the clock has 24 hours in any.
  const page = document.documentElement.lang;
  const language = navigator.languages.find((own) => own.split("-")[0] === page) ?? page;
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const sameDay = new Intl.DateTimeFormat(language, clock);
  const otherDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", ...clock });
  const otherYear = new Intl.DateTimeFormat(language, { year: "numeric", month: "short", day: "numeric", ...clock });

  function localTime(instant) {
    const now = new Date();
    if (instant.toDateString() === now.toDateString()) return sameDay.format(instant);
    if (instant.getFullYear() === now.getFullYear()) return otherDay.format(instant);
    return otherYear.format(instant);
  }

  function showLocalTimes(root) {
    for (const element of root.querySelectorAll("time[datetime]")) {
      const instant = new Date(element.dateTime);
      if (!Number.isNaN(instant.getTime())) element.textContent = localTime(instant);
    }
  }

  function remember(name, value) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  function currentTheme() {
    const chosen = document.documentElement.dataset.theme;
    if (chosen) return chosen;
    return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-theme-toggle]");
    if (!toggle) return;
    event.preventDefault();
    const theme = currentTheme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    remember("vigie_theme", theme);
    document.dispatchEvent(new CustomEvent("vigie:theme"));
  });

  // What an address points at within something folded is unfolded, as newer browsers do themselves.
  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details:not([open])");
    if (!folded) return;
    folded.open = true;
    target.scrollIntoView();
  }

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  // 0 too short … 4 strong: a rough guess from length and variety; the server decides.
  function strength(password) {
    const length = [...password].length;
    if (length < 12) return 0;
    const different = new Set(password.toLowerCase()).size;
    const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
    if (different < 5) return 1;
    return Math.min(4, 1 + (length >= 16) + (length >= 22) + (different >= 9 && kinds >= 2));
  }

  for (const input of document.querySelectorAll("[data-strength]")) {
    const box = document.querySelector("[data-strength-meter]");
    const meter = box.querySelector("meter");
    const text = box.querySelector("[data-strength-text]");
    const words = text.dataset.words.split("|");
    input.addEventListener("input", () => {
      box.hidden = input.value === "";
      const value = strength(input.value);
      meter.value = value;
      text.textContent = words[value] ?? "";
    });
  }

  window.vigie = { language, localTime, showLocalTimes };
  showLocalTimes(document);
  reveal();
  addEventListener("hashchange", reveal);
  document.addEventListener("htmx:after:swap", () => showLocalTimes(document));
})();
