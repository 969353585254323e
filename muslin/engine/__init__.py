"""The engine: it runs stages and knows no recipe, no target and no Nox."""
