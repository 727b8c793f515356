"""What the pages share: language, state, image and chart components."""
