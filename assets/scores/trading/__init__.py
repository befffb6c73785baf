"""A signal as a trading rule: pure functions from forecasts and bars to returns."""
