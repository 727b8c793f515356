"""Station 2, regions: is the segmentation good enough?"""
