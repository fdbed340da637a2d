"""The review page and its figures."""
