"""Station 1, images: what do we have, and may we use it?"""
