"""Programs without symbols: what a processor surely gets to, and what else may be code."""
