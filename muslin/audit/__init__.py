"""Whether machine code fits a processor: what an ELF file claims, and what is in it."""
