// Keeps the parts marked data-fresh as the server would render them now, without a reload.
//
// The page is asked for again after news, and rarely without; only parts that differ are exchanged,
// and none that the reader has focused, is marking, or is pointing at.
(() => {
  "use strict";

  const AFTER_NEWS = 2_000;
  const AT_LEAST = 60_000;
  const POINTING = 1_500;
  const parts = [...document.querySelectorAll("[data-fresh]")];
  // As the server wrote them: the page at hand has local times in their place.
  const known = new Map();
  let waiting = 0;
  let moved = -Infinity;

  function inHand(part) {
    if (part.contains(document.activeElement)) return true;
    const marked = getSelection();
    if (marked && !marked.isCollapsed && part.contains(marked.anchorNode)) return true;
    return performance.now() - moved < POINTING && part.matches(":hover");
  }

  // Whether all parts are up to date now.
  function take(page) {
    let all = true;
    let changed = false;
    for (const part of parts) {
      const fresh = page.getElementById(part.id);
      if (!fresh) continue;
      const text = fresh.innerHTML;
      if (known.get(part.id) === text) continue;
      if (inHand(part)) { all = false; continue; }
      known.set(part.id, text);
      window.vigie.showLocalTimes(fresh);
      if (part.innerHTML === fresh.innerHTML) continue;
      part.replaceChildren(...document.adoptNode(fresh).childNodes);
      changed = true;
    }
    if (changed) document.dispatchEvent(new CustomEvent("vigie:fresh"));
    return all;
  }

  async function refresh() {
    let later = AT_LEAST;
    try {
      // A page that nobody sees is asked for when it is seen again.
      if (!document.hidden) {
        // Named as such, so that an open tab does not keep its session alive.
        const answer = await fetch(location.pathname, { headers: { "Vigie-Refresh": "page" } });
        const usable = answer.ok && !answer.redirected;
        if (usable && !take(new DOMParser().parseFromString(await answer.text(), "text/html"))) later = AFTER_NEWS;
      }
    } catch {
      // The live view says that the connection is lost; the next round tries again.
    }
    plan(later);
  }

  let due = Infinity;
  function plan(delay) {
    due = performance.now() + delay;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, delay);
  }

  function soon() {
    if (due - performance.now() > AFTER_NEWS) plan(AFTER_NEWS);
  }

  document.addEventListener("pointermove", () => { moved = performance.now(); }, { passive: true });
  document.addEventListener("vigie:news", soon);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  soon();
})();
