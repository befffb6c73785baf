/** The two courses of a record as points to be drawn; they are never joined. */

import type { Schemas } from "../../api/client";

type Curves = Schemas["Curves"];
export type Part = keyof Curves;

export interface Point {
  part: Part;
  day: string;
  /** Milliseconds since the epoch, of the day's beginning in UTC. */
  at: number;
  earned: number;
  fell: number;
  slots: number;
}

export function pointsOf(curves: Curves, part: Part): Point[] {
  const curve = curves[part];
  return curve.days.map((day, n) => ({
    part,
    day,
    at: Date.parse(day),
    earned: curve.total_return[n] ?? 0,
    fell: curve.drawdown[n] ?? 0,
    slots: curve.scored_slots[n] ?? 0,
  }));
}

/** The point nearest to an instant. */
export function nearest(points: Point[], at: number): Point | undefined {
  return points.reduce<Point | undefined>(
    (best, point) =>
      best === undefined || Math.abs(point.at - at) < Math.abs(best.at - at) ? point : best,
    undefined,
  );
}
