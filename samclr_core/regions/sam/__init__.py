"""SAM itself: its models and where their weights come from."""
