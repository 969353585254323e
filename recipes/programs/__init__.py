"""Services, by what builds them: cargo, make or CMake."""
