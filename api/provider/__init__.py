"""What providers earn: balances, statements, payouts."""
