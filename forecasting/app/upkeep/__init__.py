"""The workspace, its bank, and the health of the database."""
