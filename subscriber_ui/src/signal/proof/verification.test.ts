import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { DoesNotHold, knownSize, type Step, verifySignal } from "./verification";

interface Case {
  policy: string;
  now: number;
  bundle: {
    checkpoint: string;
    hints: { policy: string; url: string };
    leaves: [number, string][];
  };
}

// The same vectors that the verifier itself and the command line are held to.
const vectors = JSON.parse(
  readFileSync(resolve("../tests/log/vectors/evidence.json"), "utf8"),
) as Record<string, Case>;
const head = vectors["head"] as Case;
// Of another log.
const OTHERS = `log signalbox.invalid/052df3fb+54082286+AeXOY0bnOQRJk5VauAkggJPhNu7Z5MoXuIMuIW8/vjIs
quorum none
`;
const PATH = { provider: "ada", name: "tide" };
const asked: string[] = [];

/** The API answers `bundle`; its policy is what the platform suggests. */
function serving(bundle: Case["bundle"], policy: string) {
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(new URL(request.url).pathname + new URL(request.url).search);
    const isCheckpoint = request.url.endsWith("/log/checkpoint");
    const body = isCheckpoint
      ? bundle.checkpoint
      : JSON.stringify({ ...bundle, hints: { policy, url: "" } });
    return Promise.resolve(new Response(body));
  });
  vi.spyOn(Date, "now").mockReturnValue(head.now * 1000);
}

beforeEach(() => {
  asked.length = 0;
  localStorage.clear();
});
afterEach(() => vi.unstubAllGlobals());

test("evidence that holds gives its counts, and says whose keys it rests on", async () => {
  serving(head.bundle, head.policy);
  const steps: Step[] = [];
  const verdict = await verifySignal(PATH, (step) => steps.push(step));
  expect(verdict.leaves).toBe(head.bundle.leaves.length);
  expect(verdict.total.live).toBeGreaterThan(0);
  expect(verdict.isSuggested).toBe(true);
  expect(verdict.trust).toContain("3 cosigners");
  expect(steps).toEqual(["loading", "fetching", "checking", "remembering"]);
});

test("a forecast that was exchanged does not hold", async () => {
  const leaves = head.bundle.leaves.map(([index, body], at): [number, string] => [
    index,
    at === 3 ? body.replace(/"c":"../, '"c":"00') : body,
  ]);
  serving({ ...head.bundle, leaves }, head.policy);
  await expect(verifySignal(PATH, () => undefined)).rejects.toBeInstanceOf(DoesNotHold);
});

test("the reader's own policy goes before the platform's, and other keys do not hold", async () => {
  serving(head.bundle, head.policy);
  localStorage.setItem("signalbox-policy", OTHERS);
  await expect(verifySignal(PATH, () => undefined)).rejects.toMatchObject({ code: "log" });
});

test("what was seen before is asked to be shown as a part of what is seen now", async () => {
  serving(head.bundle, head.policy);
  await verifySignal(PATH, () => undefined);
  await verifySignal(PATH, () => undefined).catch(() => undefined);
  const size = head.bundle.checkpoint.split("\n")[1] ?? "";
  expect(asked.at(-1)).toContain(`known=${size}`);
});

test("a log that shrank is asked about as it is, so that it shows", () => {
  const kept = () => "example.com/log\n50\nroot";
  expect(knownSize("example.com/log\n60\nroot", kept)).toBe(50);
  expect(knownSize("example.com/log\n40\nroot", kept)).toBeNull();
  expect(knownSize("example.com/log\n60\nroot", () => null)).toBeNull();
});
