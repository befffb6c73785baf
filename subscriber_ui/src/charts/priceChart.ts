/** Candles with a layer of forecasts, outside of React: shown anew once a frame. */

import {
  CandlestickSeries,
  type CandlestickData,
  ColorType,
  createChart,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from "lightweight-charts";

import { type Zone, zoneName } from "../format/instants";
import type { ChartColors } from "./colors";
import { ForecastLayer, type ForecastMarks } from "./forecastLayer";

const HELD_AT_MOST = 4_000; // then the series begins anew with what is shown

export interface Candle {
  opensAt: number;
  open: number;
  high: number;
  low: number;
  close: number;
}

export class PriceChart {
  private readonly chart: IChartApi;
  private readonly series: ISeriesApi<"Candlestick">;
  private readonly layer: ForecastLayer;
  private colors: ChartColors;
  private held: Candle[] = [];

  constructor(container: HTMLElement, colors: ChartColors, zone: Zone) {
    this.colors = colors;
    this.chart = createChart(container, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: getComputedStyle(container).fontFamily },
      rightPriceScale: { borderVisible: false, minimumWidth: 72 },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false },
      handleScroll: { vertTouchDrag: false }, // the page scrolls
    });
    this.series = this.chart.addSeries(CandlestickSeries, { priceLineVisible: false });
    this.layer = new ForecastLayer(colors);
    this.series.attachPrimitive(this.layer);
    this.paint(colors);
    this.useZone(zone);
  }

  paint(colors: ChartColors): void {
    this.colors = colors;
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colors.canvas },
        textColor: colors.text,
      },
      grid: { vertLines: { color: colors.grid }, horzLines: { color: colors.grid } },
    });
    // Hollow up, filled down, and no colour: colours tell where forecasts come from.
    const { text, canvas } = colors;
    this.series.applyOptions({
      upColor: canvas, downColor: text, borderUpColor: text, borderDownColor: text,
      wickUpColor: text, wickDownColor: text,
    }); // prettier-ignore
  }

  /** Instants on the axis and at the cross-hair, in a zone. */
  useZone(zone: Zone): void {
    const options = { timeZone: zoneName(zone), hourCycle: "h23" } as const;
    const time = new Intl.DateTimeFormat("en", { ...options, hour: "2-digit", minute: "2-digit" });
    const day = new Intl.DateTimeFormat("en", { ...options, day: "numeric", month: "short" });
    const full = new Intl.DateTimeFormat("en-CA", {
      ...options, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit",
      minute: "2-digit", timeZoneName: "short",
    }); // prettier-ignore
    this.chart.applyOptions({
      localization: { timeFormatter: (at: UTCTimestamp) => full.format(at * 1000) },
      timeScale: {
        tickMarkFormatter: (at: UTCTimestamp, type: number) =>
          (type >= 3 ? time : day).format(at * 1000),
      },
    });
  }

  /** The bars of a window, `ahead` places after the last of them, and what is drawn over both. */
  show(candles: Candle[], ahead: number, marks: ForecastMarks): void {
    const more = continued(this.held, candles);
    if (more === null || this.held.length > HELD_AT_MOST) {
      this.series.setData(candles.map(datum));
      this.held = candles.slice();
    } else {
      for (const candle of more) {
        this.series.update(datum(candle));
        this.held.push(candle);
      }
    }
    const first = this.held.length - candles.length;
    this.chart
      .timeScale()
      .setVisibleLogicalRange({ from: first - 0.5, to: this.held.length + ahead });
    this.layer.show(marks, first, this.colors);
  }

  /** Prices in steps that fit them. */
  setPrecision(price: number): void {
    const decimals = Math.max(0, Math.min(8, 5 - Math.ceil(Math.log10(price))));
    const minMove = Number((10 ** -decimals).toFixed(decimals));
    this.series.applyOptions({ priceFormat: { type: "price", precision: decimals, minMove } });
  }

  image(): HTMLCanvasElement {
    return this.chart.takeScreenshot(true);
  }

  remove(): void {
    this.chart.remove();
  }
}

function datum(candle: Candle): CandlestickData<UTCTimestamp> {
  const { open, high, low, close } = candle;
  return { time: candle.opensAt as UTCTimestamp, open, high, low, close };
}

/** The bars that follow those held, where `candles` are the last of these and more; else null. */
function continued(held: Candle[], candles: Candle[]): Candle[] | null {
  const last = held.at(-1);
  if (last === undefined) return null;
  const at = candles.lastIndexOf(last);
  const offset = held.length - 1 - at;
  if (at < 0 || offset < 0) return null;
  for (let index = 0; index < at; index += 1) {
    if (candles[index] !== held[index + offset]) return null;
  }
  return candles.slice(at + 1);
}
