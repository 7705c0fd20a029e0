"""Draws invented documents and trains the two models of the passport reader from them."""
