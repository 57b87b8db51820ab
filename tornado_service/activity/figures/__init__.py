"""Figures: pure functions of a `History`. ``docs/activity.md`` defines each of them."""
