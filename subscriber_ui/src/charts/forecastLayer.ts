/**
 * Forecasts over a price series: the newest as a cone of its quantiles, those before it as the
 * line of what was forecast for each hour, slots without one as crosses, and where live begins.
 *
 * A primitive of lightweight-charts. Places in time count bars of the window shown: whole numbers
 * are middles of bars, so the close of a bar lies half a bar after it.
 */

import type {
  AutoscaleInfo,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
} from "lightweight-charts";

import { type ChartColors, faded } from "./colors";

export interface ForecastPoint {
  /** Place in the window shown, and price. */
  at: number;
  price: number;
  /** Outermost quantiles; null: none were given. */
  low: number | null;
  high: number | null;
  color: string;
}

export interface Cone {
  from: number;
  to: number;
  base: number;
  point: number;
  /** Pairs of lower and upper price, the widest first. */
  bands: [number, number][];
  color: string;
}

export interface ForecastMarks {
  points: ForecastPoint[];
  cone: Cone | null;
  missed: number[];
  /** Where live begins; null: not in what is shown. */
  liveFrom: number | null;
}

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];
type Canvas = CanvasRenderingContext2D;
type Place = (at: number) => number;

const NOTHING: ForecastMarks = { points: [], cone: null, missed: [], liveFrom: null };

export class ForecastLayer implements ISeriesPrimitive {
  private marks = NOTHING;
  private first = 0;
  private colors: ChartColors;
  private attachment: SeriesAttachedParameter | null = null;
  private readonly views: readonly IPrimitivePaneView[];

  constructor(colors: ChartColors) {
    this.colors = colors;
    const renderer: IPrimitivePaneRenderer = { draw: (target) => this.draw(target) };
    this.views = [{ zOrder: () => "top", renderer: () => renderer }];
  }

  attached(parameters: SeriesAttachedParameter): void {
    this.attachment = parameters;
  }

  detached(): void {
    this.attachment = null;
  }

  /** `first` is the logical position of place 0 of the marks. */
  show(marks: ForecastMarks, first: number, colors: ChartColors): void {
    this.marks = marks;
    this.first = first;
    this.colors = colors;
    this.attachment?.requestUpdate();
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  /** What is drawn reaches beyond the bars, and must be in sight too. */
  autoscaleInfo(first: Logical, last: Logical): AutoscaleInfo | null {
    const { cone, points } = this.marks;
    let [minValue, maxValue] = [Infinity, -Infinity];
    for (const { at, price, low, high } of points) {
      if (at + this.first < first || at + this.first > last) continue;
      minValue = Math.min(minValue, low ?? price);
      maxValue = Math.max(maxValue, high ?? price);
    }
    if (cone !== null && cone.to + this.first >= first && cone.from + this.first <= last) {
      const prices = [cone.base, cone.point, ...cone.bands.flat()];
      minValue = Math.min(minValue, ...prices);
      maxValue = Math.max(maxValue, ...prices);
    }
    return minValue <= maxValue ? { priceRange: { minValue, maxValue } } : null;
  }

  private draw(target: Target): void {
    const { attachment } = this;
    if (attachment === null) return;
    const scale = attachment.chart.timeScale();
    const origin = scale.logicalToCoordinate(this.first as Logical) ?? 0;
    const spacing = (scale.logicalToCoordinate((this.first + 1) as Logical) ?? 0) - origin;
    const x: Place = (at) => origin + at * spacing;
    const y: Place = (price) => attachment.series.priceToCoordinate(price) ?? NaN;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      this.drawLiveFrom(context, x, mediaSize.height);
      this.drawPoints(context, x, y);
      this.drawCone(context, x, y);
      this.drawMissed(context, x, mediaSize.height);
    });
  }

  private drawLiveFrom(context: Canvas, x: Place, height: number): void {
    const { liveFrom } = this.marks;
    if (liveFrom === null) return;
    context.save();
    context.strokeStyle = this.colors.provenance.live;
    context.fillStyle = this.colors.provenance.live;
    context.setLineDash([5, 4]);
    line(context, [[x(liveFrom), 0], [x(liveFrom), height]]); // prettier-ignore
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "right";
    context.fillText("replayed", x(liveFrom) - 6, 14);
    context.textAlign = "left";
    context.fillText("live", x(liveFrom) + 6, 14);
    context.restore();
  }

  private drawPoints(context: Canvas, x: Place, y: Place): void {
    const { points } = this.marks;
    context.save();
    context.lineWidth = 1;
    for (const { at, low, high, color } of points) {
      if (low === null || high === null) continue;
      context.strokeStyle = faded(color, 0.25);
      line(context, [[x(at), y(low)], [x(at), y(high)]]); // prettier-ignore
    }
    context.lineWidth = 1.5;
    for (let index = 0; index < points.length; index += 1) {
      const point = points[index];
      const before = points[index - 1];
      if (point === undefined) continue;
      context.strokeStyle = context.fillStyle = point.color;
      if (before !== undefined && point.at - before.at <= 1) {
        line(context, [[x(before.at), y(before.price)], [x(point.at), y(point.price)]]); // prettier-ignore
      } else {
        context.fillRect(x(point.at) - 1.5, y(point.price) - 1.5, 3, 3);
      }
    }
    context.restore();
  }

  private drawCone(context: Canvas, x: Place, y: Place): void {
    const { cone } = this.marks;
    if (cone === null) return;
    const [left, right] = [x(cone.from), x(cone.to)];
    context.save();
    for (const [low, high] of cone.bands) {
      context.fillStyle = faded(cone.color, 0.16);
      context.strokeStyle = faded(cone.color, 0.5);
      context.beginPath();
      context.moveTo(left, y(cone.base));
      context.lineTo(right, y(high));
      context.lineTo(right, y(low));
      context.closePath();
      context.fill();
      context.stroke();
    }
    context.strokeStyle = context.fillStyle = cone.color;
    context.lineWidth = 2;
    line(context, [[left, y(cone.base)], [right, y(cone.point)]]); // prettier-ignore
    context.beginPath();
    context.arc(right, y(cone.point), 3.5, 0, 2 * Math.PI);
    context.fill();
    context.restore();
  }

  private drawMissed(context: Canvas, x: Place, height: number): void {
    context.save();
    context.strokeStyle = this.colors.provenance.missed;
    context.lineWidth = 1.5;
    for (const at of this.marks.missed) {
      const [middle, bottom] = [x(at), height - 10];
      line(context, [[middle - 3.5, bottom - 3.5], [middle + 3.5, bottom + 3.5]]); // prettier-ignore
      line(context, [[middle - 3.5, bottom + 3.5], [middle + 3.5, bottom - 3.5]]); // prettier-ignore
    }
    context.restore();
  }
}

function line(context: Canvas, points: [number, number][]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}
