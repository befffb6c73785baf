"""What every measure of forecasts is: its formula, where it comes from, and its unit.

x is the point forecast, y the outcome, r what no change would be (0 for returns, the
close at the slot for prices), q_a the forecast of the a-quantile, p that of the
probability to rise, o whether it rose. A series is one symbol at one horizon.
"""

from typing import Literal

import msgspec

TARGET = "the target's: log return, or price"
SHARE = "share, 0 to 1"
SCALED = "scales, without unit"
FORECASTS = "scored forecasts"
WITH_SCALE = "scored forecasts with 24 or more seasonal differences in the 28 days before the slot"
WITH_QUANTILES = "scored forecasts with quantiles"
WITH_PAIR = "scored forecasts with a pair of levels symmetric about 0.5"
WITH_PROBABILITY = "scored forecasts with a probability"


class Definition(msgspec.Struct, frozen=True):
    """One measure.

    Attributes:
        name: as measures are keyed; `<level>` stands for a level such as 0.1.
        formula: what is computed.
        source: who says so.
        unit: of the value.
        better: which way is better; None where neither is.
        over: what `count` counts, and the value is computed over.
    """

    name: str
    formula: str
    source: str
    unit: str
    better: Literal["lower", "higher"] | None
    over: str


FORECAST_DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "mean_error", "mean of x - y: above 0 where forecasts are too high",
        "Hyndman and Koehler 2006", TARGET, None, FORECASTS,
    ),
    Definition(
        "mean_absolute_error", "mean of |x - y|", "Hyndman and Koehler 2006, section 2.1",
        TARGET, "lower", FORECASTS,
    ),
    Definition(
        "root_mean_squared_error", "root of the mean of (x - y)^2",
        "Hyndman and Koehler 2006, section 2.1", TARGET, "lower", FORECASTS,
    ),
    Definition(
        "smape",
        "mean of 2 |X - Y| / (|X| + |Y|) of prices; for returns X = e^x and Y = e^y, as shares of"
        " the close at the slot; 0/0 is left out",
        "Makridakis, Spiliotis and Assimakopoulos 2020 (M4), without the factor 100",
        "share, 0 to 2", "lower", FORECASTS,
    ),
    Definition(
        "mase",
        "mean of |x - y| / S; S = mean of |y_t - y_(t-m)| over the 28 days before the slot, of bars"
        " known at its cut-off; m = 24 h, or the next multiple of it that the horizon fits in",
        "Hyndman and Koehler 2006, section 3; seasonal: Hyndman and Athanasopoulos 2021, 5.8",
        SCALED, "lower", WITH_SCALE,
    ),
    Definition(
        "rmsse", "root of the mean of (x - y)^2 / S2; S2 = mean of (y_t - y_(t-m))^2, else as mase",
        "Hyndman and Koehler 2006, section 3; seasonal, where M5 takes lag 1", SCALED, "lower",
        WITH_SCALE,
    ),
    Definition(
        "owa",
        "half of (smape / smape of Naive2 + mase / mase of Naive2), over the same forecasts; Naive2"
        " is no change but for the hour of day, by multiplicative classical decomposition of 28"
        " days of closes, without M4's test whether the season is significant",
        "Makridakis, Spiliotis and Assimakopoulos 2020 (M4)", "ratio", "lower",
        "scored forecasts with a scale and a Naive2",
    ),
    Definition(
        "theils_u", "root of sum (x - y)^2 / sum (r - y)^2: below 1 beats no change",
        "Theil 1966, Applied Economic Forecasting, U2", "ratio", "lower", FORECASTS,
    ),
    Definition(
        "hit_rate", "share of sgn(x - r) = sgn(y - r), where neither is 0",
        "Pesaran and Timmermann 1992", SHARE, "higher",
        "scored forecasts with a direction, where the market had one",
    ),
    Definition(
        "abstentions", "number of x = r: forecasts without a direction",
        "counted, so that hit_rate is not raised by silence unseen", "forecasts", None, FORECASTS,
    ),
    Definition(
        "unmoved", "number of y = r with x other than r: the market had no direction",
        "counted, as abstentions are", "forecasts", None, FORECASTS,
    ),
    Definition(
        "correlation", "Pearson's correlation of x - r and y - r over time, mean over series",
        "Pearson 1895", "share, -1 to 1", "higher",
        "scored forecasts of series with 3 or more that vary",
    ),
    Definition(
        "rank_correlation", "Spearman's correlation of x - r and y - r over time, mean over series",
        "Spearman 1904; ties by their middle rank", "share, -1 to 1", "higher",
        "scored forecasts of series with 3 or more that vary",
    ),
    Definition(
        "information_coefficient",
        "IC: Spearman's correlation, across symbols, of x and y as moves from r (of prices as"
        " shares), at each slot and horizon; mean over them",
        "Grinold and Kahn 2000, chapter 6; ranks, as Qian, Hua and Sorensen 2007",
        "share, -1 to 1", "higher", "slots and horizons with 3 or more symbols that vary",
    ),
    Definition(
        "icir", "mean of the ICs over their standard deviation (n - 1); not annualised, and too"
        " high where horizons overlap",
        "Grinold and Kahn 2000, chapter 6", "standard deviations", "higher",
        "slots and horizons with an IC",
    ),
    Definition(
        "pinball_loss", "mean over forecasts and levels of (1{y <= q_a} - a)(q_a - y)",
        "Koenker and Bassett 1978", TARGET, "lower", WITH_QUANTILES,
    ),
    Definition(
        "crps",
        "twice the mean pinball loss over the levels that the forecast gives, each with the same"
        " weight: compare only where levels are the same",
        "Laio and Tamea 2007", TARGET, "lower", WITH_QUANTILES,
    ),
    Definition(
        "interval_score",
        "mean of (u - l) + 2/alpha (l - y)+ + 2/alpha (y - u)+ for the widest pair of levels"
        " alpha/2 and 1 - alpha/2 that the forecast gives",
        "Winkler 1972; Gneiting and Raftery 2007, equation 43", TARGET, "lower", WITH_PAIR,
    ),
    Definition(
        "msis", "mean of interval_score / S, S as for mase",
        "Makridakis, Spiliotis and Assimakopoulos 2020 (M4); there at alpha 0.05", SCALED, "lower",
        "scored forecasts with such a pair and a scale",
    ),
    Definition(
        "coverage_<level>", "share of y <= q_a; to be a", "Gneiting, Balabdaoui and Raftery 2007",
        SHARE, None, "scored forecasts with a quantile at this level",
    ),
    Definition(
        "pit_mean",
        "mean of F(y), interpolated between quantiles; outside them the middle of what is left;"
        " to be 0.5",
        "Dawid 1984; Gneiting, Balabdaoui and Raftery 2007, section 3.1", SHARE, None,
        WITH_QUANTILES,
    ),
    Definition(
        "brier_score", "mean of (p - o)^2", "Brier 1950, one of its two equal terms", SHARE,
        "lower", WITH_PROBABILITY,
    ),
    Definition(
        "brier_reliability", "mean over tenths of p of (mean p - share that rose)^2, by count",
        "Murphy 1973", SHARE, "lower", WITH_PROBABILITY,
    ),
    Definition(
        "brier_resolution", "mean over tenths of p of (share that rose - share of all)^2, by count",
        "Murphy 1973", SHARE, "higher", WITH_PROBABILITY,
    ),
    Definition(
        "brier_uncertainty", "s (1 - s), s the share of all that rose", "Murphy 1973", SHARE, None,
        WITH_PROBABILITY,
    ),
    Definition(
        "log_score", "mean of -ln p where it rose and -ln(1 - p) where not; p no nearer to 0 or 1"
        " than 0.000001",
        "Good 1952", "nats", "lower", WITH_PROBABILITY,
    ),
)  # fmt: skip

COVERAGE = "coverage_"


def coverage_name(level: float) -> str:
    """The measure's name for a level.

    >>> coverage_name(0.1)
    'coverage_0.1'
    """
    return f"{COVERAGE}{level:g}"


def definition_of(name: str) -> Definition | None:
    """What a measure is; None where the name is not one of forecasts.

    >>> definition_of("coverage_0.9").name, definition_of("sharpe")
    ('coverage_<level>', None)
    """
    wanted = f"{COVERAGE}<level>" if name.startswith(COVERAGE) else name
    return next((one for one in FORECAST_DEFINITIONS if one.name == wanted), None)


def as_table() -> str:
    """The definitions as rows of Markdown, as `docs/subscriber/scores.md` has them."""
    rows = ["| measure | formula | unit | better | counted | source |", "|---|---|---|---|---|---|"]
    for one in FORECAST_DEFINITIONS:
        formula = one.formula.replace("|", "\\|")
        rows.append(
            f"| `{one.name}` | {formula} | {one.unit} | {one.better or '-'} | {one.over}"
            f" | {one.source} |"
        )
    return "\n".join(rows)
