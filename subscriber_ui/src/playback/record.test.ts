import { describe, expect, it } from "vitest";

import { KnownRecord, type Piece } from "./record";

const H = 3600;
const T0 = 1_790_000_000 - (1_790_000_000 % H);

interface BarRow {
  hour: number;
  close: number;
  knownAt?: number;
}
interface ForecastRow {
  hour: number;
  point: number;
  provenance?: string;
  knownAt?: number;
  version?: string;
  unopened?: boolean;
}

/** A piece as the API answers it; hours count from T0, `hour` of a bar is its close. */
function piece(
  until: number,
  bars: BarRow[],
  forecasts: ForecastRow[] = [],
  late: number[] = [],
): Piece {
  const versions = [...new Set(forecasts.map((row) => row.version ?? "v1.0.0"))];
  return {
    signal: "ada/tide", from: "", since: null, next: null, live_deadline_minutes: 10,
    at: new Date((T0 + until) * 1000).toISOString(),
    symbols: [{ symbol: "EURUSD", is_sample_data: false }],
    versions: versions.map((version, rank) => ({ version, rank, target: "return" })),
    quantile_levels: [[0.1, 0.9]],
    bars: {
      available_at: bars.map((row) => T0 + (row.knownAt ?? row.hour * H + 60)),
      symbol: bars.map(() => 0),
      ts_open: bars.map((row) => T0 + (row.hour - 1) * H),
      ts_close: bars.map((row) => T0 + row.hour * H),
      open: bars.map(() => 1), high: bars.map(() => 2), low: bars.map(() => 0.5),
      close: bars.map((row) => row.close), volume: bars.map(() => null),
      is_history: bars.map(() => false),
    },
    forecasts: {
      available_at: forecasts.map((row) => T0 + (row.knownAt ?? row.hour * H + 180)),
      version: forecasts.map((row) => versions.indexOf(row.version ?? "v1.0.0")),
      as_of: forecasts.map((row) => T0 + row.hour * H),
      symbol: forecasts.map(() => 0),
      horizon_hours: forecasts.map(() => 1),
      provenance: forecasts.map((row) => row.provenance ?? "live"),
      point: forecasts.map((row) => row.point),
      levels: forecasts.map(() => 0),
      quantiles: forecasts.map((row) => [row.point - 0.01, row.point + 0.01]),
      probability_up: forecasts.map(() => 0.5),
      is_unopened: forecasts.map((row) => row.unopened ?? false),
    },
    missed: { available_at: [], version: [], as_of: [], reason: [] },
    turned_late: {
      available_at: late.map((hour) => T0 + hour * H + 601),
      version: late.map(() => 0),
      as_of: late.map((hour) => T0 + hour * H),
    },
  }; // prettier-ignore
}

function recordOf(...pieces: Piece[]): KnownRecord {
  const record = new KnownRecord();
  for (const each of pieces) record.append(each);
  return record;
}

const BARS = [1, 2, 3, 4].map((hour) => ({ hour, close: 100 * 1.01 ** hour }));

describe("what is known at an instant", () => {
  it("leaves out bars that were known later, and a correction until it came", () => {
    const corrected = { hour: 2, close: 50, knownAt: 3.5 * H };
    const record = recordOf(piece(5 * H, [...BARS.slice(0, 3), corrected, ...BARS.slice(3)]));
    const closes = (at: number) => record.bars.lastKnown(9, T0 + at).map((bar) => bar.close);
    expect(closes(2 * H + 59)).toEqual([101]);
    expect(closes(2 * H + 60)).toHaveLength(2);
    expect(closes(3.5 * H - 1)[1]).toBeCloseTo(102.01);
    expect(closes(3.5 * H)[1]).toBe(50);
  });

  it("finds its place for an hour that is known after the next one", () => {
    const gap = { hour: 2, close: 7, knownAt: 3 * H + 300 };
    const record = recordOf(piece(4 * H, [...BARS.slice(0, 1), ...BARS.slice(2, 3), gap]));
    const hours = (at: number) =>
      record.bars.lastKnown(9, T0 + at).map((bar) => (bar.closesAt - T0) / H);
    expect(hours(3 * H + 299)).toEqual([1, 3]);
    expect(hours(3 * H + 300)).toEqual([1, 2, 3]);
  });

  it("tells a slot as late from its deadline on, and serves the newer version", () => {
    const rows = [
      { hour: 1, point: 0.1, version: "v1.0.0" },
      { hour: 1, point: 0.2, version: "v1.1.0", knownAt: H + 240 },
    ];
    const record = recordOf(piece(2 * H, BARS.slice(0, 1), rows, [1]));
    expect(record.slots.newest(T0 + H + 179)).toBeNull();
    expect(record.slots.newest(T0 + H + 200)?.point).toBe(0.1);
    expect(record.slots.newest(T0 + H + 240)?.point).toBe(0.2);
    expect(record.slots.at(T0 + H)[0]?.lateFrom).toBe(T0 + H + 601);
  });
});

describe("the running score", () => {
  const rows = [
    { hour: 1, point: 0.02 },
    { hour: 2, point: -0.01 },
    { hour: 3, point: 0.01 },
  ];

  it("counts a forecast when the bar of its hour is known, and not before", () => {
    const record = recordOf(piece(5 * H, BARS, rows));
    const score = (at: number) => record.scores.published.until(T0 + at);
    expect(score(2 * H + 59)).toMatchObject({ made: 1, resolved: 0, meanError: null });
    expect(score(2 * H + 60)).toMatchObject({ made: 1, resolved: 1, hits: 1 });
    const end = score(5 * H);
    expect(end).toMatchObject({ made: 3, resolved: 3, hits: 2, directions: 3 });
    const moved = Math.log(1.01);
    expect(end.meanNaiveError).toBeCloseTo(moved);
    expect(end.meanError).toBeCloseTo((0.02 - moved + (moved + 0.01) + (0.01 - moved)) / 3);
    expect(end.best?.slot).toBe(T0 + 3 * H);
    expect(end.worst?.slot).toBe(T0 + 2 * H);
    expect(score(2 * H + 60).worst?.slot).toBe(T0 + H);
  });

  it("is the same however the list was cut", () => {
    const whole = recordOf(piece(5 * H, BARS, rows));
    const cut = recordOf(
      piece(2 * H, BARS.slice(0, 1), rows.slice(0, 1)),
      piece(3 * H + 100, BARS.slice(1, 3), rows.slice(1, 2)),
      piece(5 * H, BARS.slice(3), rows.slice(2)),
    );
    for (let at = 0; at < 5 * H; at += 300) {
      expect(cut.scores.published.until(T0 + at)).toEqual(whole.scores.published.until(T0 + at));
    }
  });

  it("is corrected when a bar is, from then on", () => {
    const corrected = { hour: 2, close: 90, knownAt: 3.5 * H };
    const record = recordOf(piece(5 * H, [...BARS.slice(0, 3), corrected, ...BARS.slice(3)], rows));
    const score = (at: number) => record.scores.published.until(T0 + at);
    expect(score(3.5 * H - 1)).toMatchObject({ resolved: 2, hits: 1 });
    expect(score(3.5 * H)).toMatchObject({ resolved: 2, hits: 0 });
  });

  it("keeps hypothetical ones apart, and lets what was published stand for its slot", () => {
    const record = recordOf(
      piece(5 * H, BARS, [
        { hour: 1, point: 0.02, provenance: "replayed", knownAt: H + 120 },
        { hour: 2, point: 0.02, provenance: "replayed", knownAt: 2 * H + 120 },
        { hour: 2, point: 0.01, knownAt: 2 * H + 180 },
      ]),
    );
    const { published, hypothetical } = record.scores;
    expect(hypothetical.until(T0 + 2 * H + 150).made).toBe(2);
    expect(hypothetical.until(T0 + 5 * H)).toMatchObject({ made: 1, resolved: 1 });
    expect(published.until(T0 + 5 * H)).toMatchObject({ made: 1, resolved: 1 });
  });

  it("counts nothing that can no longer be opened", () => {
    const record = recordOf(piece(5 * H, BARS, [{ hour: 1, point: 0.02, unopened: true }]));
    expect(record.scores.published.until(T0 + 5 * H).made).toBe(0);
  });
});
