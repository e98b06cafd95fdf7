"""Workstation: a trained voice becomes model files for a board, each proven against Keras before it is written.

Reading order: `recipes` (what can be made) → `calibrate` (real speech as inputs) → `to_tflite`, `to_onnx` (the
conversions, in children of `worker`) → `inspect_graph`, `delegation`, `parity` (the gates) → `bundle` (what travels
inside a file) → `exporter` (all of it) → `report`, `report_html`.
"""
