"""The cache: entries by key, and what vouches for them."""
