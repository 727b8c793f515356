"""The desk of a reviewer: the picture, the keys, and what comes of it."""
