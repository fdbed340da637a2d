"""What is recorded, and taken back by entries of its own: forecasts, outcomes, seals, track records."""
