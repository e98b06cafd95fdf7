"""A small software renderer: triangles, textures and light in, pictures and exact flow out."""
