"""``changeling selftest``: does a model give here the numbers that it gave when it was exported?"""

from __future__ import annotations

from edge_runtime.cli import arguments

FAILED = 1


def run(argv: list[str]) -> int:
    """Print what was compared; 0 when all of it agrees, 1 when not. Raises what loading the model raises."""
    import edge_runtime

    parser = arguments.Parser("changeling selftest", "Check that a model gives here what it gave when it was exported.")
    arguments.add_model(parser)
    arguments.add_kind(parser)
    options = parser.parse_args(argv)
    path = arguments.model_path(options.model)
    converter = edge_runtime.load(path, kind=options.kind, backend=options.backend, threads=options.threads)
    result = converter.selftest()
    width = max((len(stage.name) for stage in result.stages), default=0)
    for stage in result.stages:
        verdict = "ok" if stage.passed else "WRONG"
        print(f"{stage.name:<{width}}  differs by {stage.error:.2e} of {stage.tolerance:.2e} allowed  {verdict}")
    agrees = "agrees with" if result.passed else "does NOT agree with"
    print(f"{converter.manifest.name} on {converter.backend_name} {agrees} its golden vectors")
    return 0 if result.passed else FAILED
