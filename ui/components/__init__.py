"""Pieces of pages: picture grids, the panel of a job."""
