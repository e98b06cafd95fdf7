"""Training of face models, step by step: collect (here by rendering), preprocess, model, losses, fit, predict."""
