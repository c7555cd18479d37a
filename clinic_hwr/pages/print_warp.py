"""A form's print drawn where it lies on a page, and the field of shifts of a bent sheet."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .print_shifts import shift_at, shift_grid, smooth_field, tile_shifts
from .types import Gray

_STEP_PX = 8  # maps are made on every 8th pixel, then enlarged
_ROUNDS = 5
_STRAY_PX = 5.0  # a tile this far off the sheet's surface took pen for print
_ORDER = 4  # of the surface: a sheet that curls at a corner and sags in the middle
_STIFF = 0.02  # ridge on the surface's coefficients above the first order


def warped(
    raster: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    shifts: NDArray[np.float32],
    shape: tuple[int, ...],
) -> Gray:
    """Draw a form's raster as it lies on a page of (height, width).

    Args:
        raster: (height, width) uint8 of the form, 0 where there is nothing.
        matrix: 3x3, raster pixels -> page pixels.
        shifts: (rows, columns, 2), page pixels to add, on a grid over the form.
        shape: of the page.
    """
    height, width = shape[0], shape[1]
    if float(np.abs(shifts).max()) < 0.3:
        flat = cv2.warpPerspective(raster, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return np.asarray(flat, np.uint8)
    step = _STEP_PX
    ys, xs = np.mgrid[0 : height + step : step, 0 : width + step : step].astype(np.float64)
    grid = np.stack([xs.ravel(), ys.ravel()], 1)
    back = on_form(grid, matrix, shifts, (raster.shape[1], raster.shape[0]))
    full = cv2.resize(
        back.reshape(*xs.shape, 2).astype(np.float32), None, fx=step, fy=step,
        interpolation=cv2.INTER_LINEAR,
    )  # fmt: skip
    # cv2.resize aligns the middles of pixels: sample i of the coarse map stands at 8 i + 3.5
    place = cv2.warpAffine(
        full, np.array([[1.0, 0.0, -(step - 1) / 2], [0.0, 1.0, -(step - 1) / 2]]),
        (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    flat = cv2.remap(
        raster, place[..., 0], place[..., 1], interpolation=cv2.INTER_LINEAR, borderValue=0
    )
    return np.asarray(flat, np.uint8)


def on_form(
    points: NDArray[np.float64],
    matrix: NDArray[np.float64],
    shifts: NDArray[np.float32],
    size: tuple[int, int],
) -> NDArray[np.float64]:
    """Page points (n, 2) on the form of (width, height): the inverse of matrix and shifts."""
    inverse = np.asarray(np.linalg.inv(matrix), np.float64)
    found = _moved(points, inverse)
    for _ in range(3):  # shifts change slowly over the form: looked up where the last round was
        found = _moved(points - shift_at(shifts, found, size), inverse)
    return found


def bent_shifts(
    form_small: Gray, page_small: Gray, matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """Find where a curled sheet carries its print, from where the matrix already fits outwards.

    The surface is a polynomial, so that what fits tells where to look for what does not yet.

    Args:
        form_small, page_small: ink at feature scale, 0 none .. 255 full.
        matrix: 3x3, pixels of ``form_small`` -> pixels of ``page_small``.

    Returns:
        Shifts on a grid over the form, and the median length of what remains, in small pixels.
    """
    rows, columns = shift_grid(form_small.shape)
    shifts = np.zeros((rows, columns, 2), np.float32)
    size = form_small.shape[1], form_small.shape[0]
    nodes = np.stack(
        np.meshgrid(np.linspace(0, size[0] - 1, columns), np.linspace(0, size[1] - 1, rows)), -1
    ).reshape(-1, 2)
    rest = np.inf
    for number in range(_ROUNDS):
        at, found, weights = tile_shifts(
            warped(form_small, matrix, shifts, page_small.shape), page_small
        )
        if len(at) < 8:
            break
        off = found - at
        rest = float(np.median(np.linalg.norm(off, axis=1)))
        spots = on_form(at, matrix, shifts, size)
        total = off + shift_at(shifts, spots, size)
        surface, near = _surface(spots, total, weights, size, order=2 + min(number, _ORDER - 2))
        base = surface(nodes).reshape(rows, columns, 2)
        left = smooth_field(
            spots[near], (total - surface(spots))[near], weights[near], form_small.shape
        )
        shifts = (base + left).astype(np.float32)
        if number >= _ORDER - 2 and rest < 0.35:
            break
    return shifts, rest


class _Surface:
    """Polynomial shifts over a form."""

    def __init__(self, size: tuple[int, int], order: int) -> None:
        self.size = size
        self.powers = [(i, j) for i in range(order + 1) for j in range(order + 1 - i)]
        self.coefficients = np.zeros((len(self.powers), 2))

    def terms(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = (2 * points[:, k] / max(1, self.size[k]) - 1 for k in (0, 1))
        return np.stack([x**i * y**j for i, j in self.powers], 1)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.terms(points) @ self.coefficients, np.float64)


def _surface(
    spots: NDArray[np.float64],
    shifts: NDArray[np.float64],
    weights: NDArray[np.float64],
    size: tuple[int, int],
    *,
    order: int,
) -> tuple[_Surface, NDArray[np.bool_]]:
    """Fit a surface through shifts, strays left out; and say which tiles are none."""
    surface = _Surface(size, order)
    terms = surface.terms(spots)
    stiff = np.diag([0.0 if i + j < 2 else _STIFF * len(spots) / 10 for i, j in surface.powers])
    trust = weights.copy()
    for _ in range(6):
        for axis in (0, 1):
            w = trust[:, axis]
            normal = (terms * w[:, None]).T @ terms + stiff + 1e-6 * np.eye(terms.shape[1])
            surface.coefficients[:, axis] = np.linalg.solve(
                normal, (terms * w[:, None]).T @ shifts[:, axis]
            )
        off = np.linalg.norm((shifts - surface(spots)) * (weights > 0.1), axis=1)
        trust = weights / (1 + (off[:, None] / 1.5) ** 2)
    return surface, off < _STRAY_PX


def _moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(points) == 0:
        return points
    moved = cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix).reshape(-1, 2)
    return np.asarray(moved, np.float64)
