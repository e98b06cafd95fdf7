"""The colour of every pixel: one compiled pass over what the rasteriser found.

Wrapped diffuse light stands in for light that scatters in skin (after S. Green, "Real-time approximations to subsurface
scattering", GPU Gems, 2004); highlights are Blinn-Phong (J. Blinn, 1977).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from train.face.render.light import Light, Shadow

BODY: Final = 0
EYE: Final = 1
TEETH: Final = 2
TONGUE: Final = 3
HAIR: Final = 4
FRAME: Final = 5

Points = NDArray[np.floating]


class Lights(NamedTuple):
    """`Light` as the compiled code takes it; each (3,) float32."""

    key: Points
    key_colour: Points
    second: Points
    second_colour: Points
    sky: Points
    ground: Points
    camera: Points
    softness: float
    shadow: Points
    to_shadow: Points


class Paints(NamedTuple):
    """What a person's parts without a texture are painted with."""

    iris: Points
    sclera: Points
    iris_angle: float
    pupil_angle: float
    teeth: Points
    tongue: Points
    tooth_edges: Points
    tooth_gap: float
    unevenness: float
    gum: float
    hair: Points
    frame: Points


def lights_of(light: Light, shadow: Shadow, camera: Points) -> Lights:
    """The lights of one picture."""
    return Lights(
        light.key, light.key_colour, light.second, light.second_colour, light.sky, light.ground,
        np.asarray(camera, np.float32), light.softness, shadow.depth, shadow.to_map,
    )  # fmt: skip


@njit(cache=True, fastmath=True)
def shade(
    hit, weights, triangles, materials, points, positions, normals, local, openness, texels, texture, values, turn,
    lights, paints, out,
):  # fmt: skip
    """Fill ``out`` (H, W, 3) linear light where something was hit; the rest stays as it is.

    ``points`` (V, 3) on the screen; ``positions``, ``normals``, ``local`` (V, 3); ``openness`` (V,) share of the sky;
    ``texels`` (T, 3, 2) and ``texture`` (N, N, 8) of the body; ``values``: the lattice of the noise; ``turn`` (3, 3)
    rotation of the head.
    """
    height, width = hit.shape
    colour, normal, place, view, at = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    share, bump = np.zeros(3), np.zeros(3)
    for y in range(height):
        for x in range(width):
            index = hit[y, x]
            if index < 0:
                continue
            _shares(weights[y, x], points, triangles[index], share)
            _mean(normals, triangles[index], share, normal)
            _mean(positions, triangles[index], share, place)
            _mean(local, triangles[index], share, at)
            open_ = 0.0
            for k in range(3):
                open_ += share[k] * openness[triangles[index, k]]
                view[k] = lights.camera[k] - place[k]
            _normalise(view)
            material = materials[index]
            if material == BODY:
                skin, spec = _body(texture, texels, index, share, colour, bump)
                gloss = 22.0 if skin > 0.5 else 12.0
                for axis in range(3):
                    for other in range(3):
                        normal[axis] += turn[axis, other] * bump[other]
            else:
                skin = 0.0
                spec, gloss = _part(material, at, place, values, paints, colour, normal)
            _normalise(normal)
            if normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2] < 0.0:
                for axis in range(3):
                    normal[axis] = -normal[axis]
            in_mouth = material in (TEETH, TONGUE)
            if material == TEETH:
                # a row is hidden by the lips that touch it, yet bright to whoever sees it: enamel and gums scatter
                open_ = 1.5 * open_ + 0.12
            _light(colour, normal, place, view, skin, spec, gloss, open_, in_mouth, material == EYE, lights, out[y, x])


@njit(cache=True, fastmath=True)
def _shares(weights, points, corners, share):
    """Weights of the corners on the surface, from those on the screen."""
    total = 0.0
    for k in range(3):
        share[k] = weights[k] * points[corners[k], 2]
        total += share[k]
    for k in range(3):
        share[k] /= total


@njit(cache=True, fastmath=True)
def _mean(values, corners, share, out):
    for axis in range(3):
        out[axis] = 0.0
        for k in range(3):
            out[axis] += share[k] * values[corners[k], axis]


@njit(cache=True, fastmath=True)
def _part(material, at, place, values, paints, colour, normal):
    """Paint what has no texture; returns strength and sharpness of its highlights."""
    if material == EYE:
        _eye(at, values, paints, colour)
        return 0.35, 380.0
    if material == TEETH:
        return _tooth(at, values, paints, colour, normal), 45.0
    if material == TONGUE:
        grain = 0.75 + 0.5 * _noise_at(values, place[0] * 18.0, place[1] * 18.0, place[2] * 18.0)
        for axis in range(3):
            colour[axis] = paints.tongue[axis] * grain
        return 0.05, 30.0
    if material == HAIR:
        strand = _strand(values, at)
        for axis in range(3):
            colour[axis] = paints.hair[axis] * (0.4 + 1.2 * strand)
        normal[0] += 0.9 * (strand - 0.5)
        return 0.1 * strand, 12.0
    for axis in range(3):
        colour[axis] = paints.frame[axis]
    return 0.25, 60.0


@njit(cache=True, fastmath=True)
def _light(colour, normal, place, view, skin, spec, gloss, open_, in_mouth, is_eye, lights, out):
    open_ = min(max(open_, 0.0), 1.0)
    if in_mouth:
        # light reaches into a mouth only through its opening, which the openness knows and the shadow map does not
        open_ = min(1.0, 1.25 * open_ + 0.05)
    if is_eye:
        open_ = 0.25 + 0.65 * open_
    dim = open_**1.2
    lit = _unshadowed(lights, place, normal)
    if in_mouth:
        lit = lit * 0.4 + 0.6 * min(1.0, 2.2 * dim)
        lit *= min(1.0, 2.0 * dim)
    facing_sky = 0.5 + 0.5 * normal[1]
    n_key = normal[0] * lights.key[0] + normal[1] * lights.key[1] + normal[2] * lights.key[2]
    n_second = normal[0] * lights.second[0] + normal[1] * lights.second[1] + normal[2] * lights.second[2]
    half_x, half_y, half_z = lights.key[0] + view[0], lights.key[1] + view[1], lights.key[2] + view[2]
    length = np.sqrt(half_x**2 + half_y**2 + half_z**2) + 1e-9
    n_half = max((normal[0] * half_x + normal[1] * half_y + normal[2] * half_z) / length, 0.0)
    view_half = max((view[0] * half_x + view[1] * half_y + view[2] * half_z) / length, 0.0)
    fresnel = 0.6 + 3.0 * (1.0 - view_half) ** 5
    highlight = spec * fresnel * n_half**gloss * lit * min(max(4.0 * n_key + (1.0 if is_eye else 0.0), 0.0), 1.0)
    highlight *= 1.0 if is_eye else (gloss + 8.0) / 25.0
    for k in range(3):
        wrap = skin * (0.40 if k == 0 else (0.16 if k == 1 else 0.08))
        key = max((n_key + wrap) / (1.0 + wrap) ** 1.6, 0.0)
        second = max((n_second + wrap) / (1.0 + wrap) ** 1.6, 0.0)
        # red light goes round the edge of a shadow on skin
        through = lit ** (1.0 - 0.45 * skin) if k == 0 else lit
        ambient = lights.ground[k] * (1.0 - facing_sky) + lights.sky[k] * facing_sky
        bounce = skin * 0.12 * (1.0 - open_) * colour[k] ** 0.7 * lights.sky[k]
        diffuse = (
            ambient * dim + 0.9 * key * through * lights.key_colour[k] + 0.9 * second * dim * lights.second_colour[k]
        )
        out[k] = colour[k] * diffuse + bounce + 1.3 * highlight * lights.key_colour[k]


@njit(cache=True, fastmath=True)
def _unshadowed(lights, place, normal):
    """Share of the key light that reaches a point: 9 looks into the shadow map, wider for a softer light."""
    m = lights.to_shadow
    px, py, pz = place[0] + 0.03 * normal[0], place[1] + 0.03 * normal[1], place[2] + 0.03 * normal[2]
    u = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
    v = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
    w = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
    size = lights.shadow.shape[0]
    reach = 1.0 + 3.0 * lights.softness
    lit = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            column = min(max(int(u + i * reach + 0.5), 0), size - 1)
            row = min(max(int(v + j * reach + 0.5), 0), size - 1)
            lit += min(max((w - lights.shadow[row, column] + 0.07) * 25.0, 0.0), 1.0)
    return lit / 9.0


@njit(cache=True, fastmath=True)
def _body(texture, texels, index, share, colour, bump):
    """Colour and relief from the texture; returns how far it is skin and the strength of its highlights."""
    u, v = 0.0, 0.0
    for k in range(3):
        u += share[k] * texels[index, k, 0]
        v += share[k] * texels[index, k, 1]
    limit = texture.shape[0] - 2
    i, j = min(max(int(u), 0), limit), min(max(int(v), 0), limit)
    fx, fy = u - i, v - j
    a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    for k in range(3):
        colour[k] = (
            a * texture[j, i, k] + b * texture[j, i + 1, k] + c * texture[j + 1, i, k] + d * texture[j + 1, i + 1, k]
        )
        bump[k] = texture[j, i, 5 + k]
    return texture[j, i, 3], 0.045 * texture[j, i, 4]


@njit(cache=True, fastmath=True)
def _eye(at, values, paints, colour):
    angle = np.arccos(min(1.0, max(-1.0, at[2])))
    around = np.arctan2(at[1], at[0])
    if angle < paints.pupil_angle:
        for k in range(3):
            colour[k] = 0.003
        return
    border = paints.iris_angle
    if angle < border:
        fibre = _noise_at(values, np.cos(around) * 9.0 + 9.0, np.sin(around) * 9.0 + 9.0, angle * 5.0)
        depth = (angle - paints.pupil_angle) / (border - paints.pupil_angle)
        level = (0.55 + 0.9 * fibre) * (1.25 - 0.45 * depth)
        # the dark ring at the border
        level *= 1.0 - 0.65 * min(max((angle - border + 0.07) / 0.06, 0.0), 1.0)
        for k in range(3):
            colour[k] = paints.iris[k] * level
        return
    veins = max(_noise_at(values, at[0] * 9.0 + 20.0, at[1] * 24.0 + 20.0, 3.0) - 0.62, 0.0) * min(
        max(angle - 0.6, 0.0), 0.6
    )
    soft = min((angle - border) / 0.06, 1.0)
    colour[0] = paints.sclera[0] * (0.5 + 0.5 * soft)
    colour[1] = (paints.sclera[1] - 1.1 * veins) * (0.5 + 0.5 * soft)
    colour[2] = (paints.sclera[2] - 1.1 * veins) * (0.5 + 0.5 * soft)


@njit(cache=True, fastmath=True)
def _tooth(at, values, paints, colour, normal):
    """Paint a tooth, a gap or gum; returns the strength of the highlights there."""
    row = 0 if at[2] > 0.0 else 1
    away, up = abs(at[0]) - (0.5 * paints.tooth_gap if row == 0 else 0.0), at[1]
    edges = paints.tooth_edges[row]
    number = 0
    while number < edges.shape[0] - 2 and away > edges[number + 1]:
        number += 1
    across = min(max((away - edges[number]) / (edges[number + 1] - edges[number]), 0.0), 1.0)
    side = 1.0 if at[0] > 0.0 else -1.0
    own = _noise_at(values, side * (number + 1.5) * 7.3 + 40.0, row * 5.1 + 3.0, 1.5)
    # teeth are rounded where they bite and where they meet, and the gum is scalloped
    corner = (2.0 * across - 1.0) ** 4
    bite = 0.01 + 0.06 * corner + 0.07 * paints.unevenness * (own - 0.3)
    gum = 1.0 - paints.gum * (0.8 + 0.4 * own) - 0.10 * (1.0 - (2.0 * across - 1.0) ** 2)
    if away < 0.0 or up < bite:
        for k in range(3):
            colour[k] = 0.012
        return 0.0
    if up > gum + 0.10:
        colour[0], colour[1], colour[2] = 0.44, 0.15, 0.14
        return 0.05
    tone = 0.85 + 0.25 * paints.unevenness * (own - 0.5) * 2.0 + 0.12 * (1.0 - up)
    # the further back, the darker; borders between teeth are dark lines
    tone *= 1.0 - 0.055 * number
    line = min(across, 1.0 - across) * (edges[number + 1] - edges[number])
    tone *= 1.0 - 0.4 * np.exp(-((line / 0.0045) ** 2))
    blend = min(max((up - gum) / 0.10, 0.0), 1.0)
    for k in range(3):
        pink = 0.44 if k == 0 else 0.15
        colour[k] = max(paints.teeth[k] * tone, 0.0) * (1.0 - blend) + pink * blend
    normal[0] += 0.5 * side * (across - 0.5)
    return 0.03


@njit(cache=True, fastmath=True)
def _strand(values, at):
    coarse = _noise_at(values, at[0], at[1] * 0.9, 0.5)
    middle = _noise_at(values, at[0] * 3.1, at[1] * 1.3, 1.5)
    fine = _noise_at(values, at[0] * 7.0, at[1] * 2.0, 2.5)
    return 0.45 * coarse + 0.3 * middle + 0.25 * fine


@njit(cache=True, fastmath=True)
def _noise_at(values, x, y, z):
    mask = values.shape[0] - 1
    x0, y0, z0 = np.floor(x), np.floor(y), np.floor(z)
    fx, fy, fz = x - x0, y - y0, z - z0
    i0, j0, k0 = int(x0) & mask, int(y0) & mask, int(z0) & mask
    i1, j1, k1 = (i0 + 1) & mask, (j0 + 1) & mask, (k0 + 1) & mask
    low = (values[i0, j0, k0] * (1 - fx) + values[i1, j0, k0] * fx) * (1 - fy)
    low += (values[i0, j1, k0] * (1 - fx) + values[i1, j1, k0] * fx) * fy
    high = (values[i0, j0, k1] * (1 - fx) + values[i1, j0, k1] * fx) * (1 - fy)
    high += (values[i0, j1, k1] * (1 - fx) + values[i1, j1, k1] * fx) * fy
    return low * (1 - fz) + high * fz


@njit(cache=True, fastmath=True)
def _normalise(vector):
    length = np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2) + 1e-9
    for k in range(3):
        vector[k] /= length
