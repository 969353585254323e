"""What the engine knows of cargo: three steps, and the configuration that they read."""
