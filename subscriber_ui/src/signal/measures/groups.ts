/** Which measures stand together, in the order people ask for them. */

import type { Measures } from "../../format/measures";

const GROUPS: [string, string[]][] = [
  ["With misses charged", ["skill_with_misses", "hit_rate_with_misses"]],
  [
    "Trading rule",
    [
      "total_return",
      "annualised_return",
      "max_drawdown",
      "volatility",
      "sharpe",
      "sortino",
      "calmar",
      "probabilistic_sharpe",
      "deflated_sharpe",
      "sharpe_per_hour",
      "trade_hit_rate",
      "turnover_per_day",
      "exposure",
      "costs",
    ],
  ],
  [
    "Point forecasts",
    [
      "skill",
      "hit_rate",
      "abstentions",
      "unmoved",
      "mean_error",
      "mean_absolute_error",
      "root_mean_squared_error",
      "smape",
      "mase",
      "rmsse",
      "owa",
      "theils_u",
      "correlation",
      "rank_correlation",
      "information_coefficient",
      "icir",
    ],
  ],
  [
    "Quantiles and probabilities",
    [
      "crps",
      "pinball_loss",
      "interval_score",
      "msis",
      "pit_mean",
      "brier_score",
      "brier_reliability",
      "brier_resolution",
      "brier_uncertainty",
      "log_score",
    ],
  ],
];

export interface Group {
  title: string;
  metrics: string[];
}

/** Every measure that there is, each once; what nobody has placed comes last. */
export function grouped(measures: Measures): Group[] {
  const placed = new Set(GROUPS.flatMap(([, metrics]) => metrics));
  const rest = Object.keys(measures)
    .filter((metric) => !placed.has(metric))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return [
    ...GROUPS.map(([title, metrics]) => ({
      title,
      metrics: metrics.filter((metric) => metric in measures),
    })),
    { title: "More", metrics: rest },
  ].filter(({ metrics }) => metrics.length > 0);
}

/** Levels of quantiles with the share of outcomes at or below them, ascending. */
export function coverageOf(measures: Measures): { level: number; covered: number }[] {
  return Object.entries(measures)
    .flatMap(([metric, { value }]) => {
      const level = /^coverage_(0?\.\d+)$/.exec(metric)?.[1];
      return level === undefined || value == null ? [] : [{ level: Number(level), covered: value }];
    })
    .sort((a, b) => a.level - b.level);
}
