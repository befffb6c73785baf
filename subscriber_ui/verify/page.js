// The page around verification: load, choose whom to believe, show what came out.
// @ts-check

import { Fault, spell } from "./fault.js";
import { parsePolicy } from "./policy.js";
import { remember } from "./remembered.js";
import { LIVE_DEADLINE, parseBundle, verifyBundle } from "./verify.js";

const POLICY = "signalbox-policy";
const COLUMNS = /** @type {const} */ (["live", "late", "undated", "missed", "unopened", "paused"]);

/**
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${id}`);
  return found;
}

const drop = element("drop", HTMLLabelElement);
const file = element("file", HTMLInputElement);
const load = element("load", HTMLFormElement);
const url = element("url", HTMLInputElement);
const loaded = element("loaded", HTMLParagraphElement);
const policy = element("policy", HTMLTextAreaElement);
const suggestion = element("suggestion", HTMLDivElement);
const hint = element("hint", HTMLPreElement);
const believe = element("believe", HTMLButtonElement);
const age = element("age", HTMLSelectElement);
const verify = element("verify", HTMLButtonElement);
const result = element("result", HTMLDivElement);

/** @type {import("./verify.js").Bundle | null} */
let bundle = null;

/** @param {string} tag @param {string} [text] @param {string} [className] */
function make(tag, text = "", className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** @param {string} name @param {() => Promise<ArrayBuffer>} read */
async function take(name, read) {
  bundle = null;
  verify.disabled = true;
  result.replaceChildren();
  loaded.textContent = `Reading ${name} …`;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await read());
    bundle = parseBundle(text);
    loaded.textContent = `${name}: ${bundle.signal}, ${bundle.leaves.length} leaves.`;
    suggest();
  } catch (problem) {
    loaded.textContent = `${name} was not loaded.`;
    showProblem(problem);
  }
}

/** Offer the bundle's own policy where there is none; never take it unasked. */
function suggest() {
  const hasPolicy = policy.value.trim() !== "";
  suggestion.hidden = hasPolicy || !bundle?.hints.policy;
  hint.textContent = bundle?.hints.policy ?? "";
  verify.disabled = bundle === null || !hasPolicy;
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response.arrayBuffer();
}

async function run() {
  if (bundle === null) return;
  verify.disabled = true;
  result.replaceChildren(make("p", "Checking …", "quiet"));
  try {
    const report = await verifyBundle(bundle, {
      policy: await parsePolicy(policy.value),
      now: Math.floor(Date.now() / 1000),
      maxAge: age.value === "any" ? null : Number(age.value),
      liveDeadline: LIVE_DEADLINE,
    });
    remember(localStorage, report, bundle.checkpoint);
    localStorage.setItem(POLICY, policy.value);
    showReport(report);
  } catch (problem) {
    showProblem(problem);
  } finally {
    verify.disabled = false;
  }
}

/** @param {unknown} problem */
function showProblem(problem) {
  const isFault = problem instanceof Fault;
  const text = problem instanceof Error ? problem.message : String(problem);
  const shown = [make("p", isFault ? `Does not hold (${problem.code}): ${text}` : text, "bad")];
  for (const note of /** @type {{ notes?: string[] }} */ (problem).notes ?? []) {
    shown.push(make("pre", note));
  }
  result.replaceChildren(...shown);
}

/** @param {Awaited<ReturnType<typeof verifyBundle>>} report */
function showReport(report) {
  const isWhole = report.since === null && report.until === null;
  const facts = make("dl");
  for (const [name, told] of [
    ["Signal", `${report.signal}, ${isWhole ? "whole" : "in part"}`],
    ["Slots", Number.isFinite(report.firstSlot)
      ? `${spell(report.firstSlot)} to ${spell(report.lastSlot)}` : "none"],
    ["Log", `${report.checkpoint.origin}, ${report.checkpoint.size} leaves`],
    ["Dated", report.datedAt === null ? "not at all" : spell(report.datedAt)],
    ["Trust", report.trust],
  ]) facts.append(make("dt", name), make("dd", told));

  result.replaceChildren(make("p", "Everything holds.", "good"), facts, countsTable(report.versions));
}

/** A row for each count, a column for each version. @param {Map<string, Record<string, number>>} versions */
function countsTable(versions) {
  const table = make("table");
  const head = make("tr");
  head.append(make("th", "Slots"), ...[...versions.keys()].map((name) => make("th", name)));
  for (const cell of head.children) cell.setAttribute("scope", "col");
  table.append(make("caption", "What is proved of the slots of each version", "quiet"), head);
  for (const name of COLUMNS) {
    const row = make("tr");
    const title = make("th", name);
    title.setAttribute("scope", "row");
    row.append(title, ...[...versions.values()].map((counts) => make("td", String(counts[name]))));
    table.append(row);
  }
  const wrapped = make("div", "", "table");
  wrapped.tabIndex = 0; // so that the keyboard reaches what stands beyond the edge
  wrapped.setAttribute("role", "region");
  wrapped.setAttribute("aria-label", "Slots by version");
  wrapped.append(table);
  return wrapped;
}

file.addEventListener("change", () => {
  const chosen = file.files?.[0];
  if (chosen) take(chosen.name, () => chosen.arrayBuffer());
});
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const dropped = event.dataTransfer?.files[0];
  if (dropped) take(dropped.name, () => dropped.arrayBuffer());
});
load.addEventListener("submit", (event) => {
  event.preventDefault();
  if (url.value) take(url.value, () => fetched(url.value));
});
policy.addEventListener("input", suggest);
believe.addEventListener("click", () => {
  policy.value = hint.textContent ?? "";
  suggest();
  policy.focus();
});
verify.addEventListener("click", run);

policy.value = localStorage.getItem(POLICY) ?? "";
if (!isSecureContext) {
  showProblem(new Error("Open this page by https: the browser does not verify signatures otherwise."));
}
const asked = new URLSearchParams(location.search).get("bundle");
if (asked && /^(https?:\/\/|\/)/.test(asked)) {
  url.value = new URL(asked, location.href).href;
  take(url.value, () => fetched(url.value));
}
