"""Tuning SAM's mask decoder to the pictures of one place; both encoders stay as they are."""
