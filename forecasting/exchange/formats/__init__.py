"""The formats of other places: one module each, which knows its shape and reads it, and no more."""
