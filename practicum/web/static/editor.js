// Beside the lab's file: the numbers of lines, and what is wrong with the text while somebody writes it.
const text = document.getElementById("text");
const form = text.form;
const numbers = form.querySelector(".numbers");
const problems = document.getElementById("problems");
const looking = document.getElementById("looking");
const QUIET_MS = 400;
let timer = 0;
let asking = new AbortController();
let saved = "fresh" in form.dataset ? text.defaultValue : null;

function number() {
  const count = text.value.split("\n").length;
  numbers.textContent = Array.from({ length: count }, (_, line) => line + 1).join("\n") + "\n\n";
  numbers.scrollTop = text.scrollTop;
}

async function look() {
  asking.abort();
  asking = new AbortController();
  if (new Blob([text.value]).size > looking.dataset.most) {
    looking.textContent = looking.dataset.large;
    return;
  }
  looking.textContent = looking.dataset.looking;
  try {
    const body = new FormData(form);
    const answer = await fetch(`${form.action}/check`, { method: "POST", body, signal: asking.signal });
    if (answer.redirected) looking.textContent = looking.dataset.over;
    else if (answer.status === 413) looking.textContent = looking.dataset.large;
    else if (!answer.ok) looking.textContent = looking.dataset.unreachable;
    else {
      problems.innerHTML = await answer.text();
      looking.textContent = "";
    }
  } catch (error) {
    if (error.name !== "AbortError") looking.textContent = looking.dataset.unreachable;
  }
}

// Columns count characters, a textarea counts the units of UTF-16.
function placeOf(line, column) {
  const lines = text.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return before + Array.from(lines[line - 1] ?? "").slice(0, column - 1).join("").length;
}

function goTo(line, column) {
  const place = placeOf(line, column);
  const rest = text.value.slice(place).match(/^[^\s:,}\]]*/)[0].length;
  text.focus();
  text.setSelectionRange(place, place + rest);
  const height = parseFloat(getComputedStyle(text).lineHeight);
  text.scrollTop = Math.max(0, (line - 1) * height - text.clientHeight / 2);
}

text.addEventListener("input", () => {
  number();
  clearTimeout(timer);
  timer = setTimeout(look, QUIET_MS);
});
text.addEventListener("scroll", () => { numbers.scrollTop = text.scrollTop; });
problems.addEventListener("click", (event) => {
  const { line, column } = event.target.dataset;
  if (line) goTo(Number(line), Number(column));
});
form.addEventListener("submit", () => { saved = text.value; });
window.addEventListener("beforeunload", (event) => { if (text.value !== saved) event.preventDefault(); });
number();
// Somebody wrote before this script was here, or the browser put back what was written before.
if (text.value !== text.defaultValue) look();
