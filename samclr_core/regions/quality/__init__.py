"""How good regions are, as figures."""
