"""Turns recipients into deliveries, and signs."""
