"""Forecasts by models, pools and worldviews: made, updated, explained, replayed."""
