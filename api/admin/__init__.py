"""What operators of an installation see of it and do with it."""
