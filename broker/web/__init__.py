"""The Flask shell: what every page and every answer has in common."""
