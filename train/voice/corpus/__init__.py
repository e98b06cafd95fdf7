"""Speech for training that belongs to nobody: synthesised sentences, and the packages and text they are made from."""
