"""Station 4, training: is it learning, and what does it cost?"""
