"""The operator's side: set up, start, watch and repair an installation."""
