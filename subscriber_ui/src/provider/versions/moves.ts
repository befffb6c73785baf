/** What a provider may do with a version, and what it means for those who read the signal. */

import type { Version } from "../queries";

export type Move = "offline" | "live" | "retire";

export interface Meaning {
  label: string;
  title: (label: string) => string;
  consequences: string[];
  /** Whether it can be undone; what cannot is confirmed by writing the version. */
  isFinal: boolean;
  done: string;
}

export const MOVES: Record<Move, Meaning> = {
  offline: {
    label: "Take offline",
    title: (version) => `Take ${version} offline`,
    consequences: [
      "It is not run from the next full hour on. What it forecast stays, and stays public where it is revealed.",
      "If no other version of the signal is live, each hour without one counts as missed, and paying subscribers are credited for it at your cost.",
      "You can bring it live again.",
    ],
    isFinal: false,
    done: "is offline",
  },
  live: {
    label: "Bring live",
    title: (version) => `Bring ${version} live`,
    consequences: [
      "It is run again from the next full hour on, and each hour that it does not answer counts as missed.",
      "Subscribers are told, and read its forecasts beside those of your other live versions.",
    ],
    isFinal: false,
    done: "is live",
  },
  retire: {
    label: "Retire",
    title: (version) => `Retire ${version} for good`,
    consequences: [
      "It never runs again, and nobody can bring it back. The transparency log says so.",
      "Its record stays: every forecast and every miss keeps counting for the signal.",
      "If no other version of the signal is live, subscribers get no forecasts, and are credited for the hours they paid for.",
    ],
    isFinal: true,
    done: "is retired",
  },
};

const FROM: Record<Move, Version["state"][]> = {
  offline: ["live"],
  live: ["offline"],
  retire: ["live", "offline"],
};

/** What may be done with a version that is in this state. */
export function movesFrom(state: Version["state"]): Move[] {
  return (["offline", "live", "retire"] as const).filter((move) => FROM[move].includes(state));
}
