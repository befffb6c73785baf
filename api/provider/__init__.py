"""What providers have: their signals at a glance, balances, statements, payouts."""
