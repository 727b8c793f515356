"""Station 6, decision: what do we do next?"""
