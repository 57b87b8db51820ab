"""Figures of the printable reports."""
