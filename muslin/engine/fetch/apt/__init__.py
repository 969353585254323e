"""The ordinary apt client, with private state."""
