"""What every measure of the trading rule and of honesty is."""

from assets.scores.definitions import Definition

HOURS = "hours of the rule's series"
SHARE_OF_CAPITAL = "share of capital"
FORECASTS = "scored forecasts of live slots"
WITH_MISSES = "scored forecasts of live slots, and those owed at slots without"
BAILEY_2012 = "Bailey and Lopez de Prado 2012, The Sharpe Ratio Efficient Frontier"
BAILEY_2014 = "Bailey and Lopez de Prado 2014, The Deflated Sharpe Ratio"

TRADING_DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "total_return", "prod(1 + n) - 1, n the rule's net return of an hour", "by definition",
        SHARE_OF_CAPITAL, "higher", HOURS,
    ),
    Definition(
        "annualised_return",
        "prod(1 + n)^(H / T) - 1 over T hours, H how many hours the market is open in a year;"
        " from 100 hours on",
        "compound growth", "share of capital a year", "higher", HOURS,
    ),
    Definition(
        "volatility", "std(n) root(H), with T - 1", "by definition", "share of capital, for a year",
        None, HOURS,
    ),
    Definition(
        "sharpe", "mean(n) / std(n) root(H); no rate without risk is taken off", "Sharpe 1994",
        "ratio, for a year", "higher", HOURS,
    ),
    Definition(
        "sortino", "mean(n) root(H) / root(mean(min(n, 0)^2)); target 0",
        "Sortino and Price 1994", "ratio, for a year", "higher", HOURS,
    ),
    Definition(
        "calmar", "annualised_return / max_drawdown, over the whole period", "Young 1991", "ratio",
        "higher", HOURS,
    ),
    Definition(
        "max_drawdown", "max over t of 1 - W(t) / max W(s), s <= t; W is 1 at the start",
        "Magdon-Ismail and Atiya 2004", "share of the peak, 0 to 1", "lower", HOURS,
    ),
    Definition(
        "turnover_per_day", "sum |change of position| / days of the calendar", "by definition",
        "share of capital a day", None, HOURS,
    ),
    Definition(
        "exposure", "mean of sum over symbols |position|", "by definition", SHARE_OF_CAPITAL, None,
        HOURS,
    ),
    Definition(
        "costs", "sum of turnover x cost_bps / 10,000", "by definition", SHARE_OF_CAPITAL, "lower",
        HOURS,
    ),
    Definition(
        "trade_hit_rate", "share of closed trades that earned more than getting in and out cost",
        "by definition", "share, 0 to 1", "higher", "trades closed in the period",
    ),
    Definition(
        "sharpe_per_hour", "mean(n) / std(n), with T - 1", "Sharpe 1994", "ratio, for an hour",
        "higher", HOURS,
    ),
    Definition(
        "probabilistic_sharpe",
        "Z[S root(T - 1) / root(1 - g3 S + (g4 - 1) / 4 S^2)], S sharpe_per_hour, g3 skewness, g4"
        " kurtosis: the probability that the true ratio is above 0, if hours are independent",
        BAILEY_2012, "probability", "higher", HOURS,
    ),
    Definition(
        "deflated_sharpe",
        "probabilistic_sharpe against S0 = root(V) ((1 - g) Z'(1 - 1/N) + g Z'(1 - 1/(N e)))"
        " in place of 0: N the versions that the provider ever pushed, of all signals; V the"
        " variance of their known sharpe_per_hour, at least 1 / (T - 1); g Euler's constant",
        BAILEY_2014, "probability", "higher", HOURS,
    ),
    Definition(
        "skill",
        "1 - sum |x - y| / sum |b - y|, b the naive baseline (no change, or the close a day"
        " before the target) that makes it least",
        "Murphy 1988, equation 4", "share, up to 1", "higher", FORECASTS,
    ),
    Definition(
        "skill_with_misses",
        "skill, a forecast that was owed and not proven live charged"
        " |y - r| + max(|y - r|, mean |x - r|)",
        "declared in docs/subscriber/performance.md", "share, up to 1", "higher", WITH_MISSES,
    ),
    Definition(
        "hit_rate_with_misses",
        "hit_rate, a forecast that was owed and not proven live being wrong where the market"
        " moved",
        "declared in docs/subscriber/performance.md", "share, 0 to 1", "higher", WITH_MISSES,
    ),
    Definition(
        "mean_hourly_return", "mean(n)", "by definition", "share of capital an hour", "higher",
        HOURS,
    ),
)  # fmt: skip
