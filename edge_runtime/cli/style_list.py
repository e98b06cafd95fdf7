"""Styles and emotions as `changeling convert --list-styles` and `changeling info` show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_runtime.contract import VoiceManifest


def style_lines(manifest: VoiceManifest | None = None) -> list[str]:
    """One line for each style and emotion; with a manifest only those for which that model has the controls."""
    from edge_runtime.voice.emotions import EMOTIONS
    from edge_runtime.voice.styles import STYLES

    known = None if manifest is None else {control.name for control in manifest.controls}
    styles = {style.name: (style.description, set(style.values)) for style in STYLES.values()}
    emotions = {emotion.name: (emotion.description, set(emotion.changes(1.0))) for emotion in EMOTIONS.values()}
    width = max(len(name) for name in (*styles, *emotions))
    lines = []
    for title, group in (("styles   (--style NAME)", styles), ("emotions (--emotion NAME:0..1)", emotions)):
        fitting = {name: text for name, (text, needed) in group.items() if known is None or needed <= known}
        if fitting:
            lines += [title, *(f"  {name:<{width}}  {text}" for name, text in fitting.items()), ""]
    return lines[:-1]
