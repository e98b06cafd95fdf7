"""The CC0 head that training pictures are rendered from: its mesh, its identities and its expressions."""
