"""From declarations and recipes to the stages of a run."""
