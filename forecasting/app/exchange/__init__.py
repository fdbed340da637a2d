"""Track records brought in and out."""
