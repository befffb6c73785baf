"""Keys of market data vendors: sealed here, and opened by run workers alone."""
