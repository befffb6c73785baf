"""What operators of an installation see and do."""
