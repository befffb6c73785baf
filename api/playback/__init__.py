"""What could be seen at an instant, as a list that only grows."""
