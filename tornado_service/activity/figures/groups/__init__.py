"""Figures of groups: several next to each other, and the members of one."""
