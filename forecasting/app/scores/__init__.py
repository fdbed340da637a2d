"""Scores of forecasters, compared, ranked, calibrated, and what is left out of them."""
