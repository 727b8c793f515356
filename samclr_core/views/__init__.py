"""Station 3, views: do the two views show the same thing?"""
