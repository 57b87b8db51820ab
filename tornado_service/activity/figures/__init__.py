"""Figures: pure functions of a history."""
