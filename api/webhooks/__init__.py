"""Where people want events sent, and how they get there."""
