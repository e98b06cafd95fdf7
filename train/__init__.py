"""Training on a workstation: recordings in, a checkpoint out. Imports `edge_runtime`, never `export`."""
