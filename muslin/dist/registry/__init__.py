"""Push images to registries of the OCI distribution specification."""
