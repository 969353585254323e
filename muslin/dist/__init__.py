"""`dist/`: what users take away."""
