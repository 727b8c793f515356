"""SAMCLR without a screen: images, regions, views, training, evaluation, decision."""
