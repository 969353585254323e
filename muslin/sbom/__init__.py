"""Bills of materials: what a program is made of, as CycloneDX, and the licences that go with it."""
