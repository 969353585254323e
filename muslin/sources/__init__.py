"""Source sets: where sources come from, and how their pins move."""
