// News from the server: a stream of events; while that is broken, the status is asked for every few seconds.

import { address, get } from "./api.js";
import { tell } from "./news.js";

const POLL_EVERY = 3000;
const RETRY_AFTER = 4000;
//: A stream without a word for so long is asleep or cut, whatever the browser thinks.
const SILENT_AFTER = 45000;
const HIDDEN_FOR = 15000;
//: A hidden page has no stream, but its tab tells the state.
const ASK_HIDDEN_EVERY = 20000;

/** Listen for as long as the page lives, and tell what comes as news (see news.js). */
export function listen({ lane }) {
  let source;
  let poll = 0;
  let retry = 0;
  let watch = 0;
  let heard = performance.now();
  let nap = 0;
  let ended = false;
  let state = "";

  const become = (now) => {
    if (now === state) return;
    state = now;
    tell("state", state);
  };

  async function ask() {
    try {
      const status = await get("/status", { lane });
      if (!live()) become(nap ? "live" : "polling");
      tell("status", status);
    } catch (error) {
      if (error.status >= 500) {
        // The admin server answers, but what it asks does not.
        if (!live()) become("polling");
        tell("trouble", { detail: error.message, code: error.code, since: error.since });
      } else if (!live()) become("lost");
    }
  }

  const live = () => source?.readyState === EventSource.OPEN && poll === 0;

  function alive() {
    heard = performance.now();
    clearInterval(poll);
    poll = 0;
    become("live");
  }

  function fallBack() {
    if (!poll && !ended) {
      poll = setInterval(ask, POLL_EVERY);
      ask();
    }
  }

  function open() {
    clearTimeout(retry);
    source?.close();
    if (ended) return;
    heard = performance.now();
    source = new EventSource(address("/events", { lane }));
    source.addEventListener("open", alive);
    source.addEventListener("hello", alive);
    source.addEventListener("status", (message) => { alive(); tell("status", JSON.parse(message.data)); });
    source.addEventListener("trouble", (message) => { alive(); tell("trouble", JSON.parse(message.data)); });
    source.addEventListener("past", (message) => { alive(); tell("past", JSON.parse(message.data)); });
    source.addEventListener("event", (message) => { alive(); tell("event", JSON.parse(message.data)); });
    source.addEventListener("error", () => {
      fallBack();
      // The browser tries again by itself, but for some answers (such as 503) it gives up.
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_AFTER);
    });
  }

  function wake() {
    clearInterval(watch);
    watch = setInterval(() => {
      if (performance.now() - heard <= SILENT_AFTER) return;
      fallBack();
      open();
    }, 5000);
    open();
  }

  wake();
  // A browser opens only a few connections to one server, for all its tabs: those that nobody sees give theirs back.
  let asleep = 0;
  const sleep = () => {
    source?.close();
    clearInterval(watch);
    nap = setInterval(ask, ASK_HIDDEN_EVERY);
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(asleep);
    clearInterval(nap);
    nap = 0;
    if (document.hidden) asleep = setTimeout(sleep, HIDDEN_FOR);
    else if (source?.readyState === EventSource.CLOSED) wake();
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
  // Whoever logs out has ended this too, before the server says so with an error.
  document.addEventListener("antrian-leave", () => {
    ended = true;
    clearTimeout(retry);
    clearInterval(poll);
    clearInterval(watch);
    clearInterval(nap);
    clearTimeout(asleep);
    source?.close();
  });
}
