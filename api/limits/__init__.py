"""How much each asks of the API: so many requests a minute, by kind of route and by plan."""
