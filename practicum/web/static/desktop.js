// Opens the desktop of a machine, in the page that somebody is looking at.
import { machineSocket, Refused, SESSION_OVER, ticketFor } from "/static/machine_socket.js";

const section = document.getElementById("desktop");
const screen = section.querySelector(".desktop-screen");
const state = section.querySelector(".console-state");
const heading = section.querySelector("#desktop-name");
const clipboard = section.querySelector("#desktop-clipboard");
// With a server that is further away a picture of full quality comes late: milliseconds there and back.
const FAR = 150;
const TRIES = 3;
let open = null;

async function isSlow() {
  let fastest = Infinity;
  for (let count = 0; count < TRIES && fastest > FAR; count += 1) {
    const began = performance.now();
    await fetch("/static/icon.svg", { cache: "no-store" });
    fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest > FAR;
}

function close() {
  if (open === null) return;
  const { rfb } = open;
  open = null;
  if (rfb) rfb.disconnect();
  screen.replaceChildren();
}

async function openDesktop(path, name) {
  close();
  const mine = { path, name, rfb: null };
  open = mine;
  section.hidden = false;
  heading.textContent = `${heading.dataset.words} ${name}`;
  state.textContent = state.dataset.opening;
  section.scrollIntoView({ block: "nearest" });
  try {
    const [{ default: RFB }, slow] = await Promise.all([import("/static/vendor/novnc/core/rfb.js"), isSlow()]);
    const ticket = await ticketFor(path, state.dataset.over);
    if (open === mine) connect(mine, RFB, ticket, slow);
  } catch (error) {
    if (open === mine) state.textContent = error instanceof Refused ? error.message : state.dataset.lost;
  }
}

function connect(mine, RFB, ticket, slow) {
  const socket = machineSocket(`${mine.path}/screen`, ticket);
  const rfb = new RFB(screen, socket, { shared: true });
  mine.rfb = rfb;
  rfb.scaleViewport = true;
  rfb.resizeSession = true;
  rfb.focusOnClick = true;
  rfb.viewOnly = section.querySelector("[name=view-only]").checked;
  if (slow) {
    rfb.qualityLevel = 2;
    rfb.compressionLevel = 9;
  }
  rfb.addEventListener("connect", () => {
    state.textContent = slow ? state.dataset.slow : state.dataset.open;
    rfb.focus();
  });
  rfb.addEventListener("clipboard", ({ detail }) => (clipboard.value = detail.text));
  socket.addEventListener("close", ({ code, reason }) => {
    if (open === mine) state.textContent = reason || (code === SESSION_OVER ? state.dataset.over : state.dataset.lost);
  });
}

const ACTIONS = {
  again: () => open && openDesktop(open.path, open.name),
  close: () => {
    close();
    section.hidden = true;
  },
  full: () => (document.fullscreenElement ? document.exitFullscreen() : section.requestFullscreen()),
  keys: () => open?.rfb?.sendCtrlAltDel(),
  paste: () => {
    open?.rfb?.clipboardPasteFrom(clipboard.value);
    open?.rfb?.focus();
  },
};

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-desktop]");
  if (button) openDesktop(button.dataset.desktop, button.dataset.name);
  ACTIONS[target.closest("[data-desktop-do]")?.dataset.desktopDo]?.();
});
section.querySelector("[name=view-only]").addEventListener("change", ({ target }) => {
  if (open?.rfb) open.rfb.viewOnly = target.checked;
});

// A desktop that was just created is opened at once; a page that is loaded later has its button.
document.getElementById("live")?.addEventListener("ended", () => {
  const button = document.querySelector("[data-desktop][data-now]");
  if (button && open === null) openDesktop(button.dataset.desktop, button.dataset.name);
});
