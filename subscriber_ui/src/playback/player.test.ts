import { describe, expect, it } from "vitest";

import { emptyPiece } from "./emptyPiece";
import { type Bounds, HOUR, Player, stepped } from "./player";
import { seconds, written } from "./search";

const T0 = 1_789_999_200;
const AFTER = 600;

/** A player whose questions are answered by hand. */
function stage(bounds: Partial<Bounds> = {}) {
  const asked: { at: number; since: number | null; come: (next?: number) => Promise<void>; fail: () => Promise<void> }[] = []; // prettier-ignore
  const shown: number[] = [];
  const player = new Player(
    { from: T0, until: T0 + 100 * HOUR, decidedAfter: AFTER, ...bounds },
    (at, since) =>
      new Promise((resolve, reject) => {
        const come = async (next?: number) => {
          resolve(emptyPiece(at, next));
          await settled();
        };
        const fail = async () => {
          reject(new Error("no connection"));
          await settled();
        };
        asked.push({ at, since, come, fail });
      }),
    () => {
      if (player.state.shown !== null && player.state.shown !== shown.at(-1)) {
        shown.push(player.state.shown);
      }
    },
    6,
  );
  return { player, asked, shown };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

describe("a player", () => {
  it("shows an instant when what was known then is here, and asks for nothing later", async () => {
    const { player, asked, shown } = stage();
    player.seek(T0 + 10 * HOUR, 0);
    expect(asked).toMatchObject([{ at: T0 + 10 * HOUR, since: null }]);
    expect(shown).toEqual([]);
    await asked[0]?.come();
    expect(shown).toEqual([T0 + 10 * HOUR]);
    player.step(1, 10);
    expect(asked[1]).toMatchObject({ at: T0 + 10 * HOUR + AFTER, since: T0 + 10 * HOUR });
  });

  it("scrubs back without a question, and has one under way at most", async () => {
    const { player, asked, shown } = stage();
    player.seek(T0 + 10 * HOUR, 0);
    await asked[0]?.come();
    player.seek(T0 + 3 * HOUR, 1);
    expect(shown.at(-1)).toBe(T0 + 3 * HOUR);
    expect(asked).toHaveLength(1);
    player.seek(T0 + 20 * HOUR, 2);
    player.seek(T0 + 30 * HOUR, 3);
    player.seek(T0 + 40 * HOUR, 4);
    expect(asked).toHaveLength(2);
    await asked[1]?.come();
    expect(asked[2]).toMatchObject({ at: T0 + 40 * HOUR, since: T0 + 20 * HOUR });
    expect(shown.at(-1)).toBe(T0 + 3 * HOUR);
    await asked[2]?.come();
    expect(shown.at(-1)).toBe(T0 + 40 * HOUR);
  });

  it("goes on where an answer was cut short", async () => {
    const { player, asked, shown } = stage();
    player.seek(T0 + 10 * HOUR, 0);
    await asked[0]?.come(T0 + 4 * HOUR);
    expect(shown).toEqual([]);
    expect(asked[1]).toMatchObject({ at: T0 + 10 * HOUR, since: T0 + 4 * HOUR });
    await asked[1]?.come();
    expect(shown).toEqual([T0 + 10 * HOUR]);
  });

  it("plays so many hours a second, from decision to decision, and stops at the end", async () => {
    const { player, asked, shown } = stage({ until: T0 + 4 * HOUR + 60 });
    player.seek(player.bounds.until, 0);
    await asked[0]?.come();
    player.seek(T0, 0);
    player.play(1000);
    for (let ms = 1000; ms <= 2000; ms += 50) player.frame(ms);
    expect(shown.slice(2).map((at) => at - T0)).toEqual(
      [0, 1, 2, 3].map((hour) => hour * HOUR + AFTER).concat(4 * HOUR + 60),
    );
    expect(player.state.playing).toBe(false);
    expect(asked).toHaveLength(1);
  });

  it("stops with the reason when the API does not answer, and goes on when asked again", async () => {
    const { player, asked, shown } = stage();
    player.seek(T0 + HOUR, 0);
    await asked[0]?.fail();
    expect(player.state).toMatchObject({ waiting: false, playing: false });
    expect(player.state.error).toBeInstanceOf(Error);
    player.retry(5);
    await asked[1]?.come();
    expect(player.state.error).toBeNull();
    expect(shown).toEqual([T0 + HOUR]);
  });
});

describe("steps", () => {
  it("lead to the next or last decision, also from between two", () => {
    expect(stepped(T0 + AFTER, 1, AFTER)).toBe(T0 + AFTER + HOUR);
    expect(stepped(T0 + AFTER + 5, 1, AFTER)).toBe(T0 + AFTER + HOUR);
    expect(stepped(T0 + AFTER + 5, -1, AFTER)).toBe(T0 + AFTER);
    expect(stepped(T0 + AFTER, -24, AFTER)).toBe(T0 + AFTER - 24 * HOUR);
  });

  it("are written and read as the same instant", () => {
    expect(seconds(written(T0 + AFTER))).toBe(T0 + AFTER);
    expect(written(T0)).toMatch(/:00Z$/);
  });
});
