"""C libraries: one module is one library."""
