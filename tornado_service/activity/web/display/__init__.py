"""How figures are shown: periods to choose, and steps of colour."""
