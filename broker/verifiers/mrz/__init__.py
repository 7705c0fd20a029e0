"""The data page of a passport, photographed: its machine-readable zone (ICAO 9303-3, -4)."""
