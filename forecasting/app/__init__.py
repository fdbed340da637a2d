"""Use cases: each does one thing a person asks for, in one transaction."""
