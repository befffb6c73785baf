/** A player for a page: frames while it needs them, and React told some times a second at most. */

import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";

import { type Ask, type Bounds, Player, type PlayerState } from "./player";

const RENDERS_MS = 150;
const SETTLED_MS = 400;

/** What a frame shows; called once a frame at most. */
export type Paint = (player: Player) => void;

export class Stage {
  readonly player: Player;
  /** What is shown since a moment, and not on the way to something else. */
  settled: number | null = null;
  private settling: ReturnType<typeof setTimeout> | null = null;
  private readonly painters = new Set<Paint>();
  private readonly listeners = new Set<() => void>();
  private frame: number | null = null;
  private told: ReturnType<typeof setTimeout> | null = null;

  constructor(bounds: Bounds, ask: Ask, speed: number) {
    this.player = new Player(bounds, ask, () => this.changed(), speed);
  }

  /** `paint` is called after each change, and at once. */
  onFrame(paint: Paint): () => void {
    this.painters.add(paint);
    this.schedule();
    return () => this.painters.delete(paint);
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  stop(): void {
    this.player.pause();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    if (this.told !== null) clearTimeout(this.told);
    if (this.settling !== null) clearTimeout(this.settling);
    this.frame = this.told = this.settling = null;
  }

  private changed(): void {
    this.schedule();
    this.told ??= setTimeout(() => {
      this.told = null;
      this.tell();
    }, RENDERS_MS);
    if (this.settling !== null) clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = null;
      if (this.player.state.playing) return;
      this.settled = this.player.state.shown;
      this.tell();
    }, SETTLED_MS);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private schedule(): void {
    this.frame ??= requestAnimationFrame((ms) => {
      this.frame = null;
      this.player.frame(ms);
      for (const paint of this.painters) paint(this.player);
      if (this.player.state.playing) this.schedule();
    });
  }
}

/** A stage that begins at `instant`, for as long as what is played stays the same. */
export function useStage(bounds: Bounds, ask: Ask, speed: number, instant: number): Stage {
  // What is played is made anew with `ask`; instants and speeds are changed on the stage.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const stage = useMemo(() => new Stage(bounds, ask, speed), [ask]);
  useEffect(() => {
    stage.player.seek(instant, performance.now());
    return () => stage.stop();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [stage]);
  return stage;
}

/** A part of the state; who reads it is rendered anew when that part has changed. */
export function usePlayerValue<Value>(stage: Stage, read: (state: PlayerState) => Value): Value {
  return useStageValue(stage, () => read(stage.player.state));
}

/** The instant shown, once it stands still; null: nothing was shown yet. */
export function useSettledInstant(stage: Stage): number | null {
  return useStageValue(stage, () => stage.settled);
}

function useStageValue<Value>(stage: Stage, read: () => Value): Value {
  const subscribe = useCallback((listener: () => void) => stage.onChange(listener), [stage]);
  return useSyncExternalStore(subscribe, read);
}
