// Opens a terminal in a machine, in the page that somebody is looking at.
import { Terminal } from "/static/vendor/xterm.mjs";
import { FitAddon } from "/static/vendor/addon-fit.mjs";
import { machineSocket, Refused, SESSION_OVER, ticketFor } from "/static/machine_socket.js";

// xterm writes style sheets and style attributes of its own. The page's policy lets through only what carries its
// nonce, and styles that are set as properties.
const nonce = document.querySelector("meta[name=style-nonce]").content;
const create = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = create(name, options);
  if (name === "style") element.nonce = nonce;
  if (name === "span") {
    element.setAttribute = (key, value) => {
      if (key === "style") element.style.cssText = value;
      else Element.prototype.setAttribute.call(element, key, value);
    };
  }
  return element;
};

const section = document.getElementById("console");
const screen = section.querySelector(".screen");
const state = section.querySelector(".console-state");
const heading = section.querySelector("#console-name");
let open = null;

function colours() {
  const style = getComputedStyle(section);
  const colour = (name) => style.getPropertyValue(name).trim();
  return { background: colour("--screen"), foreground: colour("--screen-text"), cursor: colour("--screen-text") };
}

function close() {
  if (open === null) return;
  const { socket, terminal, watching } = open;
  open = null;
  watching.disconnect();
  if (socket !== null) socket.close();
  terminal.dispose();
}

async function openTerminal(path, name) {
  close();
  section.hidden = false;
  heading.textContent = `${heading.dataset.words} ${name}`;
  state.textContent = state.dataset.opening;
  const terminal = new Terminal({ cursorBlink: true, fontFamily: "ui-monospace, monospace", fontSize: 14, theme: colours(), scrollback: 5000 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(screen);
  fit.fit();
  const watching = new ResizeObserver(() => fit.fit());
  watching.observe(screen);
  // What is typed before the shell is there, it gets when it comes.
  const early = [];
  const mine = { terminal, watching, socket: null, path, name, early, send: (bytes) => early.push(bytes) };
  const type = new TextEncoder();
  terminal.onData((text) => mine.send(type.encode(text)));
  terminal.onBinary((text) => mine.send(Uint8Array.from(text, (one) => one.charCodeAt(0))));
  open = mine;
  // Whoever works without a mouse must be able to leave the terminal.
  terminal.attachCustomKeyEventHandler((event) => !(event.key === "Tab" && event.shiftKey));
  section.scrollIntoView({ block: "nearest" });
  terminal.focus();
  try {
    connect(mine, await ticketFor(path, state.dataset.over));
  } catch (error) {
    if (open === mine) state.textContent = error instanceof Refused ? error.message : state.dataset.lost;
  }
}

function connect(mine, ticket) {
  if (open !== mine) return;
  const { terminal } = mine;
  const socket = machineSocket(`${mine.path}/terminal`, ticket);
  let ended = "";
  socket.binaryType = "arraybuffer";
  mine.socket = socket;
  const resize = () => socket.readyState === 1 && socket.send(JSON.stringify({ resize: [terminal.cols, terminal.rows] }));
  socket.onopen = () => {
    state.textContent = state.dataset.open;
    resize();
    mine.send = (bytes) => socket.readyState === 1 && socket.send(bytes);
    mine.early.splice(0).forEach(mine.send);
  };
  terminal.onResize(resize);
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      const said = JSON.parse(data);
      if (said.size) {
        mine.watching.disconnect();
        state.textContent = state.dataset.looking;
        terminal.resize(...said.size);
        return;
      }
      if (said.watched !== undefined) {
        state.textContent = said.watched ? state.dataset.watched : state.dataset.open;
        return;
      }
      ended = said.error || state.dataset.ended;
      return;
    }
    const bytes = new Uint8Array(data);
    terminal.write(bytes, () => socket.readyState === 1 && socket.send(JSON.stringify({ seen: bytes.length })));
  };
  socket.onclose = ({ code }) => {
    if (open === mine) state.textContent = ended || (code === SESSION_OVER ? state.dataset.over : state.dataset.lost);
  };
}

// The box above a column ticks all that are below it.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset.all) return;
  for (const box of target.form.querySelectorAll(`[name="${target.dataset.all}"]`)) box.checked = target.checked;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-terminal]");
  if (button) openTerminal(button.dataset.terminal, button.dataset.name);
  const what = event.target.closest("[data-console]")?.dataset.console;
  if (what === "again" && open) openTerminal(open.path, open.name);
  if (what === "close") {
    close();
    section.hidden = true;
  }
});

// Whoever waits must learn when nobody tells any more.
const lost = document.getElementById("lost");
for (const failure of ["htmx:sse:error", "htmx:error"]) {
  document.addEventListener(failure, () => lost && (lost.hidden = false));
}
document.addEventListener("htmx:sse:after:connection", () => lost && (lost.hidden = true));

// A machine that was just created is opened at once; a page that is loaded later has its button.
document.getElementById("live")?.addEventListener("ended", () => {
  const button = document.querySelector("[data-terminal][data-now]");
  if (button && open === null) openTerminal(button.dataset.terminal, button.dataset.name);
});
