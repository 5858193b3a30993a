// The first page's script: it sends the proofs' requests from this browser, shows the events that they
// cause, and keeps the two framed browsers in step.
import { proofs, verdictOf } from "./proofs.mjs";

/** Milliseconds between two looks at the events. */
const POLL = 1000;

const { page } = document.body.dataset;

/** The requests of one column. */
function sender(proof, way) {
  return async (step, form = {}) => {
    const address = `/proofs/${way}/${step}?page=${page}&list=${proof}.${way}`;
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(form) });
    if (!answer.ok) throw new Error(`${step} was answered with ${answer.status}`);
    return answer.json();
  };
}

function show(output, { detail, isGood, text }) {
  output.dataset.good = isGood;
  const strong = document.createElement("strong");
  strong.textContent = text;
  output.replaceChildren(strong);
  if (detail === undefined) return;
  const small = document.createElement("small");
  small.textContent = detail;
  output.append(" ", small);
}

async function runColumn(proof, column) {
  const { way } = column.dataset;
  const output = column.querySelector("output");
  output.textContent = "running …";
  delete output.dataset.good;
  try {
    const run = crypto.getRandomValues(new Uint32Array(4)).join("-");
    show(output, verdictOf(proof, await proofs[proof](sender(proof, way), run)));
  } catch (error) {
    show(output, { isGood: false, text: "it failed", detail: error.message });
  }
  await showEvents();
}

async function runProof(form) {
  const button = form.querySelector("button");
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const section = form.closest("section");
  section.querySelector(".sent").textContent = "Sent by this browser.";
  // One column after the other: a browser opens six connections to a host, and five are needed.
  for (const column of section.querySelectorAll("[data-way]")) {
    await runColumn(form.dataset.proof, column);
  }
  button.removeAttribute("aria-disabled");
}

for (const form of document.querySelectorAll("form[data-proof]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void runProof(form);
  });
}

/** Shows a list's lines again only when they have changed, so that nobody's selection is lost. */
function fill(list, lines) {
  if (list.dataset.shown === lines.join("\n")) return;
  list.dataset.shown = lines.join("\n");
  const items = lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  });
  list.replaceChildren(...items);
  list.scrollTop = list.scrollHeight;
}

async function showEvents() {
  try {
    const answer = await fetch(`/events?page=${page}`);
    if (!answer.ok) return;
    const lists = await answer.json();
    for (const list of document.querySelectorAll("[data-list]")) {
      fill(list, lists[list.dataset.list] ?? []);
    }
  } catch {
    // The server can't be reached; the next look may find it.
  }
}

// Each of the framed browsers shows at once what the other one did to it.
const frames = [...document.querySelectorAll("iframe")];
let reloading;
for (const frame of frames) {
  frame.addEventListener("load", () => {
    if (reloading === frame) {
      reloading = undefined;
      return;
    }
    reloading = frames.find((other) => other !== frame);
    reloading?.contentWindow?.location.reload();
  });
}

await showEvents();
setInterval(() => {
  if (document.visibilityState === "visible") void showEvents();
}, POLL);
