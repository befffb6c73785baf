"""The whole record of a signal, misses and all."""
