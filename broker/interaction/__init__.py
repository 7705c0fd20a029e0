"""The parked authorization request and the browser it belongs to: what every step may ask."""
