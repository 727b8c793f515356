"""A grid of methods, views, seeds and data in one command: what is better, and how sure is it?"""
