"""What is recorded, and taken back by entries: forecasts, outcomes, seals, track records."""
