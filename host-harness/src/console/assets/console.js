// What is alive on the pages. Without it they work all the same: it shows times in the viewer's zone, narrows lists down as
// one types, copies, and puts parts of a page in place anew when something on the site was committed.
"use strict";

(() => {
  const minute = 60_000;
  const hour = 60 * minute;
  const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const shortly = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const daily = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

  /** A time as seen from now, in the words of the server. */
  function relative(millis) {
    const apart = Math.abs(Date.now() - millis);
    if (apart < minute) return "just now";
    let length = `${Math.floor(apart / (24 * hour))} days`;
    if (apart < hour) length = `${Math.floor(apart / minute)} min`;
    else if (apart < 48 * hour) length = `${Math.floor(apart / hour)} h`;
    return millis > Date.now() ? `in ${length}` : `${length} ago`;
  }

  /** Shows times in the viewer's zone. */
  function times(root) {
    for (const element of root.querySelectorAll("time[data-shown]")) {
      const time = new Date(element.dateTime);
      const kind = element.dataset.shown;
      const text = kind === "ago" ? relative(time.getTime()) : (kind === "day" ? daily : shortly).format(time);
      if (element.textContent !== text) element.textContent = text;
      element.title = exactly.format(time);
    }
  }

  /** Lets texts be copied, where the browser has a clipboard to copy to. */
  function copies(root) {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
  }

  function dress(root) {
    times(root);
    copies(root);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied";
    }
    setTimeout(() => { button.textContent = name; }, 1500);
  });

  /** A page as the server has it now. Where it sends us to another one, the session is over. */
  async function fetched(url, signal) {
    const response = await fetch(url, { signal, headers: { accept: "text/html" } });
    if (response.redirected) {
      location.reload();
      return null;
    }
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  /** What finds an element again in a part that was made anew. */
  function found(element) {
    if (element.id) return `#${CSS.escape(element.id)}`;
    for (const name of ["href", "value"]) {
      const value = element.getAttribute(name);
      if (value) return `${element.localName}[${name}="${CSS.escape(value)}"]`;
    }
    const action = element.closest("form")?.getAttribute("action");
    return action && `form[action="${CSS.escape(action)}"] button`;
  }

  /** Puts a part in place anew, unless it is what is there; what was opened stays open, and what had the focus has it again. */
  function put(part, anew) {
    dress(anew);
    const opened = [...part.querySelectorAll("details")].map((details) => details.open);
    anew.querySelectorAll("details").forEach((details, index) => { details.open = opened[index] ?? false; });
    if (part.innerHTML === anew.innerHTML) return;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && found(focused);
    part.replaceChildren(...anew.childNodes);
    if (key) part.querySelector(key)?.focus();
  }

  /** Whether somebody types in a part, or marks text in it: then it is left alone. */
  function busy(part) {
    const active = document.activeElement;
    if (part.contains(active) && active.matches("input, select, textarea")) return true;
    const selection = document.getSelection();
    return Boolean(selection && !selection.isCollapsed && part.contains(selection.anchorNode));
  }

  let looking = false;
  let again = false;

  /** Looks what is new. Where no part of the page follows the site, only if it is to be seen whether the session goes on. */
  async function refresh(anyway = false) {
    if (document.hidden || !(anyway || document.querySelector("[data-part]"))) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    try {
      const page = await fetched(location.href);
      for (const part of page ? document.querySelectorAll("[data-part]") : []) {
        const anew = page.getElementById(part.id);
        if (anew && !busy(part)) put(part, anew);
      }
    } catch {
      // The next event brings the next try.
    } finally {
      looking = false;
    }
    if (again) setTimeout(refresh, 250);
  }

  /** Follows the site while the page is to be seen: a browser has few connections to one server, for all of its tabs. */
  function follow(url) {
    const pulse = document.getElementById("pulse");
    let stream = null;
    const show = (text, lost) => {
      pulse.hidden = false;
      pulse.textContent = text;
      pulse.classList.toggle("lost", lost);
    };
    const open = () => {
      stream = new EventSource(url);
      stream.addEventListener("open", () => {
        show("Live", false);
        refresh();
      });
      stream.addEventListener("change", () => refresh());
      stream.addEventListener("error", () => {
        const over = stream?.readyState === EventSource.CLOSED;
        show(over ? "Not live" : "Reconnecting", true);
        if (over) refresh(true);
      });
    };
    const close = () => {
      stream?.close();
      stream = null;
    };
    document.addEventListener("visibilitychange", () => {
      close();
      if (!document.hidden) open();
    });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    // What changes with time alone, and not with a commit.
    setInterval(refresh, minute);
    if (!document.hidden) open();
  }

  /** Narrows a list down as one types. */
  function filters(form) {
    const list = document.getElementById(form.dataset.filters);
    if (!list) return;
    let wait = 0;
    let asking = null;
    const ask = async () => {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
      const url = `${form.getAttribute("action")}${query.size ? `?${query}` : ""}`;
      asking?.abort();
      asking = new AbortController();
      try {
        const page = await fetched(url, asking.signal);
        const anew = page?.getElementById(list.id);
        if (!anew) return;
        dress(anew);
        list.replaceChildren(...anew.childNodes);
        history.replaceState(null, "", url);
      } catch {
        // A newer question is on its way, or the button asks again.
      }
    };
    form.addEventListener("input", (event) => {
      clearTimeout(wait);
      wait = setTimeout(ask, event.target.matches("select") ? 0 : 250);
    });
  }

  /** Brings the current one of a row into sight. With `scrollIntoView`, the next stop by Tab would be behind it. */
  function centre(row) {
    const current = row.querySelector("[aria-current]")?.getBoundingClientRect();
    if (current) row.scrollLeft += current.left - row.getBoundingClientRect().left - (row.clientWidth - current.width) / 2;
  }

  /** What was done just now is said once, and not when the page is loaded again. */
  function sayOnce() {
    const url = new URL(location.href);
    if (!url.searchParams.has("done")) return;
    url.searchParams.delete("done");
    history.replaceState(null, "", url);
  }

  sayOnce();
  dress(document);
  setInterval(() => times(document), 30_000);
  for (const form of document.querySelectorAll("form[data-filters]")) filters(form);
  for (const row of document.querySelectorAll(".side nav, .tabs")) centre(row);
  // What a form was answered with is loaded again without the form.
  if (document.body.dataset.at) history.replaceState(null, "", document.body.dataset.at);
  if (document.body.dataset.live) follow(document.body.dataset.live);
  if ("looks" in document.body.dataset) setInterval(refresh, 5_000);
})();
