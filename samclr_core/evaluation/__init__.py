"""Station 5, evaluation: is it better, and are we sure?"""
