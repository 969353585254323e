"""Recipes: what Muslin builds, and the engine that builds it."""
