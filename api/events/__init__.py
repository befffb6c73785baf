"""What happens, told to those who may know: the sources, and the stream."""
