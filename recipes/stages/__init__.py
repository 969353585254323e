"""One module per kind of stage: pure functions from declarations to a `Stage`."""
