"""News: items with their effects, checked, coded, shown and taken back; sources and watches."""
