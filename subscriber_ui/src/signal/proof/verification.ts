/**
 * A signal's evidence checked in this browser, by the very modules that /verify/ serves: they are
 * loaded when somebody asks, and ask the platform for nothing but the evidence.
 */

import { answer, api } from "../../api/client";
import { isDemo, now } from "../../api/clock";
import type { Name } from "../queries";

const POLICY = "signalbox-policy"; // where /verify/ keeps whom the reader believes
const CHECKPOINT = "signalbox-checkpoint";

export type Step = "loading" | "fetching" | "checking" | "remembering";

export interface Counts {
  live: number;
  late: number;
  undated: number;
  missed: number;
  unopened: number;
  paused: number;
}

export interface Verdict {
  origin: string;
  /** Of the log under the checkpoint. */
  size: number;
  /** Leaves of the signal, all of them checked. */
  leaves: number;
  /** Who vouches, in words. */
  trust: string;
  /** The keys were named by this platform, not by the reader. */
  isSuggested: boolean;
  /** Seconds since 1970; null: nobody dates it. */
  datedAt: number | null;
  firstSlot: number;
  lastSlot: number;
  versions: [string, Counts][];
  total: Counts;
}

/** The evidence does not hold; `code` is one word of docs/subscriber/verify.md. */
export class DoesNotHold extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Both checkpoints of a log that contradicts itself: publish them. */
    readonly notes: string[],
  ) {
    super(message);
  }
}

/**
 * Fetch the evidence, check it, and remember the log as it was seen.
 * @throws DoesNotHold the first thing that does not
 * @throws ProblemError what the API said instead of evidence
 */
export async function verifySignal(path: Name, tell: (step: Step) => void): Promise<Verdict> {
  tell("loading");
  const [verifier, policies, memory] = await Promise.all([
    import("../../../verify/verify.js"),
    import("../../../verify/policy.js"),
    import("../../../verify/remembered.js"),
  ]);
  tell("fetching");
  const text = await evidence(path);
  tell("checking");
  const own = localStorage.getItem(POLICY);
  try {
    const bundle = verifier.parseBundle(text);
    const report = await verifier.verifyBundle(bundle, {
      policy: await policies.parsePolicy(own ?? bundle.hints.policy),
      // The reader's own clock; a demonstration's runs ahead, and says so.
      now: Math.floor((isDemo() ? now() : Date.now()) / 1000),
      maxAge: verifier.MAX_AGE,
      liveDeadline: verifier.LIVE_DEADLINE,
    });
    tell("remembering");
    memory.remember(localStorage, report, bundle.checkpoint);
    return {
      origin: report.checkpoint.origin,
      size: report.checkpoint.size,
      leaves: report.leaves,
      trust: report.trust,
      isSuggested: own === null,
      datedAt: report.datedAt,
      firstSlot: report.firstSlot,
      lastSlot: report.lastSlot,
      versions: [...report.versions],
      total: report.total,
    };
  } catch (problem) {
    throw asVerdict(problem);
  }
}

async function evidence(path: Name): Promise<string> {
  const checkpoint = await answer(api.GET("/log/checkpoint", { parseAs: "text" }));
  const known = knownSize(checkpoint, (name) => localStorage.getItem(name));
  return await answer(
    api.GET("/v1/signals/{provider}/{name}/evidence", {
      params: { path, query: { known: known === null ? undefined : [known] } },
      parseAs: "text",
    }),
  );
}

/** How large this log was when the browser last believed it; null: never, or larger than now. */
export function knownSize(
  checkpoint: string,
  kept: (name: string) => string | null,
): number | null {
  const [origin = "", size = ""] = checkpoint.split("\n");
  const last = Number(kept(`${CHECKPOINT} ${origin}`)?.split("\n")[1]);
  return Number.isSafeInteger(last) && last > 0 && last <= Number(size) ? last : null;
}

function asVerdict(problem: unknown): unknown {
  if (!(problem instanceof Error) || !("code" in problem)) return problem;
  const notes = "notes" in problem && Array.isArray(problem.notes) ? problem.notes : [];
  return new DoesNotHold(String(problem.code), problem.message, notes.map(String));
}
