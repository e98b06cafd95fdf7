"""What a training run is about: one frozen dataclass, saved as ``config.json`` in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass

from edge_runtime.face_path_contract import CropSpec, EditMaskSpec
from train.face.parts import CROP, MASK
from train.face.presets import PATCHES, FacePreset, Patch, find_preset
from train.face.units import UNIT_NAMES


@dataclass(frozen=True)
class FaceConfig:
    """Everything that shapes the network and what is around it on the device."""

    name: str
    preset: FacePreset
    crop: CropSpec
    mask: EditMaskSpec
    patches: tuple[Patch, ...]
    units: tuple[str, ...]
    """Names in the order of ``delta``."""
    flow_cells: int
    """Side of the flow field; a cell covers crop size / flow_cells pixels."""

    @property
    def cell_px(self) -> int:
        """Side of a cell of the flow field in crop pixels."""
        return self.crop.size_px // self.flow_cells


def make_config(name: str, preset: str) -> FaceConfig:
    """A configuration from a preset by name. Raises `WorkstationError` for unknown names."""
    return FaceConfig(
        name=name,
        preset=find_preset(preset),
        crop=CROP,
        mask=MASK,
        patches=PATCHES,
        units=UNIT_NAMES,
        flow_cells=CROP.size_px // 2,
    )
