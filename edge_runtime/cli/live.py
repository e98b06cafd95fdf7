"""``changeling live voice`` and ``changeling live face``: convert what happens now."""

from __future__ import annotations

from edge_runtime.errors import InputError

_HELP = """usage: changeling live voice|face ...

  voice   microphone to speaker, with another voice
  face    camera to a window, a browser, a virtual camera or a file, with another expression

`changeling live voice --help` and `changeling live face --help` tell more."""


def run(argv: list[str]) -> int:
    """Convert until stopped; 0 then. Raises what the devices and the model raise."""
    kind, rest = (argv[0], argv[1:]) if argv else ("--help", [])
    if kind in ("-h", "--help"):
        print(_HELP)
        return 0
    if kind == "voice":
        from edge_runtime.cli.live_voice import live_voice

        return live_voice(rest)
    if kind == "face":
        from edge_runtime.cli.live_face import live_face

        return live_face(rest)
    raise InputError(f"{kind!r:.40} cannot be converted live; say voice or face")
