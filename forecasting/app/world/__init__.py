"""The world by its paths: scenarios, what-if, typical stories, tables."""
