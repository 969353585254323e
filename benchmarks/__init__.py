"""What Muslin takes, side by side with what does the same by other means."""
