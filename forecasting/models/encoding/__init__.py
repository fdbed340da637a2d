"""From evidence as of a moment to the arrays of each family, and back to answers."""
