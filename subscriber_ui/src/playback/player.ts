/**
 * Which instant is shown, and how it moves.
 *
 * Theory of operation: the record holds what was known until some instant. Whatever lies before is
 * shown at once; for anything later the player asks for that instant, and shows it when the answer
 * is there: one request at a time, so that the page never holds what it does not show or has shown.
 */

import { KnownRecord, type Piece } from "./record";

export const HOUR = 3600;
const BETWEEN_REQUESTS_MS = 100; // ten a second is within everybody's limit

/** The piece (since, at]; `since` null: from the beginning. */
export type Ask = (at: number, since: number | null) => Promise<Piece>;

export interface Bounds {
  from: number;
  until: number;
  /** Seconds after the hour at which a slot is decided: steps lead from one to the next. */
  decidedAfter: number;
}

export interface PlayerState {
  shown: number | null;
  playing: boolean;
  speed: number;
  waiting: boolean;
  error: unknown;
}

export class Player {
  readonly record = new KnownRecord();
  readonly bounds: Bounds;
  state: PlayerState;
  private readonly ask: Ask;
  private readonly tell: () => void;
  private wanted: number | null = null;
  private anchor = { instant: 0, ms: 0 };
  private askedMs = -Infinity;

  constructor(bounds: Bounds, ask: Ask, tell: () => void, speed = 6) {
    this.bounds = bounds;
    this.ask = ask;
    this.tell = tell;
    this.state = { shown: null, playing: false, speed, waiting: false, error: null };
  }

  /** Show an instant, as soon as what was known then is here. */
  seek(instant: number, ms: number): void {
    this.wanted = Math.min(Math.max(Math.round(instant), this.bounds.from), this.bounds.until);
    this.anchor = { instant: this.wanted, ms };
    if (this.wanted <= this.record.until) this.show(this.wanted);
    else void this.fetch(ms);
  }

  /** Seek the last decision before an instant between two; the end where it is the end. */
  scrub(instant: number, ms: number): void {
    const { until, decidedAfter } = this.bounds;
    this.seek(instant >= until ? until : decidedBy(instant, decidedAfter), ms);
  }

  /** Time has gone on: there is more to play. */
  extend(until: number): void {
    this.bounds.until = Math.max(this.bounds.until, until);
  }

  /** Hours forward, or back where negative, from decision to decision. */
  step(hours: number, ms: number): void {
    const from = this.wanted ?? this.state.shown ?? this.bounds.from;
    this.seek(stepped(from, hours, this.bounds.decidedAfter), ms);
  }

  play(ms: number): void {
    const from = this.state.shown ?? this.bounds.from;
    if (from >= this.bounds.until) return;
    this.anchor = { instant: from, ms };
    this.become({ playing: true });
  }

  pause(): void {
    this.become({ playing: false });
  }

  setSpeed(speed: number, ms: number): void {
    this.anchor = { instant: this.state.shown ?? this.bounds.from, ms };
    this.become({ speed });
  }

  retry(ms: number): void {
    this.become({ error: null });
    void this.fetch(ms);
  }

  /** Called once a frame; `ms` is the frame's time. */
  frame(ms: number): void {
    if (!this.state.playing || this.state.waiting || this.state.shown === null) return;
    const due = dueAt(this.anchor, ms, this.state.speed, this.bounds);
    if (due <= this.state.shown) return;
    if (due > this.record.until && ms - this.askedMs < BETWEEN_REQUESTS_MS) return;
    this.wanted = due;
    if (due <= this.record.until) this.show(due);
    else void this.fetch(ms);
  }

  private show(instant: number): void {
    const ended = instant >= this.bounds.until;
    this.become({ shown: instant, playing: this.state.playing && !ended });
  }

  private async fetch(ms: number): Promise<void> {
    if (this.state.waiting || this.wanted === null) return;
    this.become({ waiting: true });
    try {
      while (this.wanted > this.record.until) {
        this.askedMs = ms;
        const since = Number.isFinite(this.record.until) ? this.record.until : null;
        const asked = this.wanted;
        const piece = await this.ask(asked, since);
        this.record.append(piece);
        if (piece.next === null && this.wanted <= asked) break;
      }
      this.become({ waiting: false, error: null });
      this.show(this.wanted);
    } catch (error) {
      this.become({ waiting: false, playing: false, error });
    }
  }

  private become(change: Partial<PlayerState>): void {
    this.state = { ...this.state, ...change };
    this.tell();
  }
}

/** The decision `hours` after (or before) an instant; the next one where it is between two. */
export function stepped(instant: number, hours: number, decidedAfter: number): number {
  const place = (instant - decidedAfter) / HOUR;
  const whole = hours > 0 ? Math.floor(place) : Math.ceil(place);
  return (whole + hours) * HOUR + decidedAfter;
}

/** The last decision that playing has come to. */
export function dueAt(
  anchor: { instant: number; ms: number },
  ms: number,
  speed: number,
  bounds: Bounds,
): number {
  const reached = anchor.instant + ((ms - anchor.ms) / 1000) * speed * HOUR;
  if (reached >= bounds.until) return bounds.until;
  return decidedBy(reached, bounds.decidedAfter);
}

function decidedBy(instant: number, decidedAfter: number): number {
  return Math.floor((instant - decidedAfter) / HOUR) * HOUR + decidedAfter;
}
