"""How close converted speech is to the target's voice and to the source's: cosines of Resemblyzer embeddings.

    make evaluate
    .venv-evaluate/bin/python benchmarks/similarity.py --target out/demo/run/heldout --source out/source.wav \\
        --converted out/converted.wav

The target's own recordings must be ones that were not trained on. Unconverted sources are scored in the same run, and
the target's recordings against each other are the ceiling.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile
from resemblyzer import VoiceEncoder, preprocess_wav


def embeddings(paths: list[Path], encoder: VoiceEncoder) -> np.ndarray:
    """Unit vectors (n, 256), one a recording."""
    vectors = []
    for path in paths:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        vectors.append(encoder.embed_utterance(preprocess_wav(samples.mean(axis=1), rate_hz)))
    return np.asarray(vectors)


def centre(vectors: np.ndarray) -> np.ndarray:
    """Unit mean of unit vectors."""
    mean = vectors.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def wavs(names: list[Path]) -> list[Path]:
    """Files as they are, folders as the WAVs in them."""
    return [path for name in names for path in (sorted(name.glob("*.wav")) if name.is_dir() else [name])]


def main() -> None:
    """Score and print JSON."""
    parser = argparse.ArgumentParser(description="Cosine similarity of voices.")
    parser.add_argument("--target", type=Path, nargs="+", required=True, help="recordings of the target, held out")
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="recordings before conversion")
    parser.add_argument("--converted", type=Path, nargs="+", required=True, help="the same recordings converted")
    options = parser.parse_args()
    encoder = VoiceEncoder("cpu", verbose=False)
    target, source, converted = (
        embeddings(wavs(paths), encoder) for paths in (options.target, options.source, options.converted)
    )
    to_target, to_source = centre(target), centre(source)
    n = len(target)
    pairs = (target @ target.T)[np.triu_indices(n, 1)] if n > 1 else np.ones(1)
    print(
        json.dumps(
            {
                "recordings": len(converted),
                "unconverted_to_target": round(float((source @ to_target).mean()), 3),
                "converted_to_target": round(float((converted @ to_target).mean()), 3),
                "converted_to_source": round(float((converted @ to_source).mean()), 3),
                "target_pairs": round(float(pairs.mean()), 3),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
