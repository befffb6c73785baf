"""What the trading rule is, in numbers that each answer repeats.

The rule, in full (docs/subscriber/performance.md says it to subscribers):

- At each slot whose forecast is proven live, the desired position in each symbol is the sign
  of its forecast of the shortest horizon, divided by the number of the version's symbols:
  +1/n, -1/n, or 0 where the forecast has no direction. Gross exposure is at most 1.
- A position is taken at the open of the first bar that opens at or after the forecast was
  available plus `delay_hours`, and held until that of the next slot is taken.
- A slot without a live forecast (missed, late, unopened, or not owed) means flat: its position
  is 0, taken at the open of the first bar at or after the slot's deadline plus `delay_hours`.
- Positions are shares of the capital at the start of an hour. A change costs `cost_bps` of
  what changes hands; drift within an hour is not charged, nor are funding and dividends.
"""

import msgspec

COST_BPS = 10.0
DELAYS_HOURS = (0, 1, 2, 4, 8, 24)


class RuleParameters(msgspec.Struct, frozen=True, kw_only=True):
    """The declared rule's numbers.

    Attributes:
        delay_hours: waited after a forecast was available.
        cost_bps: basis points of turnover, one way.
        deadline_minutes: when a slot without a live forecast counts as flat, after the slot.
    """

    delay_hours: int = 0
    cost_bps: float = COST_BPS
    deadline_minutes: int = 10
