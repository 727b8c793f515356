"""Automatic regions: a grid of prompts, SAM's answers to them, and the choice among these."""
