"""Tests of what the broker counts about itself."""
