"""Voice in five steps, one file each: collect, preprocess, model (with losses), fit, predict."""
