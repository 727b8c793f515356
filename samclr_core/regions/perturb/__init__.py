"""Regions damaged on purpose: how good must a segmentation be?"""
