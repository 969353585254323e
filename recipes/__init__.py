"""Recipes: what is built, and from what. Pure functions; nothing here acts."""
