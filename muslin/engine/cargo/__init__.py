"""What the engine knows of cargo: two steps, and the configuration that they read."""
