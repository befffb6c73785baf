"""Hot reads: answers kept as bytes, and the little that stands before them."""
