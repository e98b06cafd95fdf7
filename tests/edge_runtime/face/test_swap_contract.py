"""The manifest of a swap model: there and back, and what in it is refused."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest

from edge_runtime.consent import identity_text, require_consent
from edge_runtime.errors import ConsentError, FrontEndError, ModelFileError
from edge_runtime.face_path_contract import MaskSpec
from edge_runtime.manifests import parse_manifest
from edge_runtime.swap_contract import ColourSpec, IdentitySpec, LikenessSpec, LostSpec, MouthSpec, SwapManifest
from tests.edge_runtime.face.tiny_face import make_face_manifest, tensor
from tests.edge_runtime.face.tiny_swap import CONSENT, make_swap_manifest, person


def test_there_and_back() -> None:
    for identity, shape in ((make_swap_manifest().identity, ()), (person(), (0.01,) * 9)):
        manifest = make_swap_manifest(identity=identity, painted_shape=shape)
        assert parse_manifest(manifest.to_json()) == manifest


def test_faces_and_swaps_have_the_same_geometry() -> None:
    assert make_swap_manifest().geometry_fingerprint() == make_face_manifest().geometry_fingerprint()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"inputs": (tensor("image", 1, 16, 16, 3),)}, "tensor image"),
        ({"inputs": (tensor("image", 1, 32, 32, 3), tensor("delta", 1, 3))}, "other tensors"),
        ({"mask": MaskSpec(0.5, 0.1, 2.0)}, "upside down"),
        ({"mouth": MouthSpec((9999, 1), 1.0, 1.0)}, "not made of landmarks"),
        ({"mouth": MouthSpec((61, 291), 1.0, 0.0)}, "mouth has no sensible size"),
        ({"colour": ColourSpec("rct", 16, 0.05, 3.0, 2.0)}, "unknown colour match"),
        ({"colour": ColourSpec("none", 13, 0.05, 3.0, 2.0)}, "thumbnails of 13"),
        ({"colour": ColourSpec("none", 16, 0.05, 0.5, 2.0)}, "cannot be matched"),
        ({"lost": LostSpec(-1.0, 4)}, "lost face"),
        ({"likeness": LikenessSpec(16, 1.5)}, "lost face"),
        ({"painted_shape": (0.1,) * 8}, "painted shape that is none"),
        ({"painted_shape": (1.5,) * 9}, "painted shape that is none"),
        ({"identity": IdentitySpec("", "", True, None)}, "no name"),
        ({"identity": dataclasses.replace(person(), synthetic=True)}, "synthetic identity"),
        ({"identity": person(dataclasses.replace(CONSENT, expires_on="soon"))}, "no date"),
        ({"identity": person(dataclasses.replace(CONSENT, given_on=""))}, "never given"),
        ({"identity": person(dataclasses.replace(CONSENT, scope=""))}, "says nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ModelFileError, match=text) as caught:
        SwapManifest.from_json(make_swap_manifest(**change).to_json())
    assert "\n" not in str(caught.value)


def test_other_versions_and_kinds_are_refused() -> None:
    with pytest.raises(FrontEndError, match="update changeling"):
        SwapManifest.from_json(make_swap_manifest(front_end_version=99).to_json())
    with pytest.raises(ModelFileError, match="a swap model is needed"):
        SwapManifest.from_json(make_face_manifest().to_json())


def test_a_person_needs_a_consent_that_has_not_ended() -> None:
    """The last day belongs to the permission; a rendered head needs none."""
    last = person(dataclasses.replace(CONSENT, expires_on="2026-06-30"))
    require_consent(make_swap_manifest().identity)
    require_consent(person())
    require_consent(last, datetime.date(2026, 6, 30))
    with pytest.raises(ConsentError, match="ended on 2026-06-30"):
        require_consent(last, datetime.date(2026, 7, 1))
    with pytest.raises(ConsentError, match="no consent record"):
        require_consent(person(None))


def test_an_identity_in_words() -> None:
    assert "belongs to no person" in identity_text(make_swap_manifest().identity)
    assert "consent of Anna of 2026-01-01: tests" in identity_text(person())
    assert "no consent record" in identity_text(person(None))
