"""How far each printed spot of a page lies from where its form has it, and that as a field."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .types import Gray

_TILE_PX, _REACH_PX = 64, 14  # of the small raster: a tile, and how far off it may lie
_CLEAR_DROP = 0.12  # of the correlation three pixels off: a direction in which the print tells
_ALIKE, UNCLEAR = 0.45, 0.02  # least correlation of a tile; weight of a direction it leaves open
_FIELD_SIGMA_TILES = 1.2


def tile_shifts(
    print_px: Gray, ink: Gray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where each tile of print lies on the page: expected, found, and how surely; each (n, 2)."""
    height, width = ink.shape
    at, found, weights = [], [], []
    soft = np.asarray(cv2.GaussianBlur(ink, (0, 0), 0.8), np.uint8)
    for y in range(0, height - _TILE_PX // 2, _TILE_PX):
        for x in range(0, width - _TILE_PX // 2, _TILE_PX):
            tile = print_px[y : y + _TILE_PX, x : x + _TILE_PX]
            if min(tile.shape) < _TILE_PX // 2 or tile.mean() < 2.5:
                continue
            y0, x0 = max(0, y - _REACH_PX), max(0, x - _REACH_PX)
            window = soft[y0 : y + tile.shape[0] + _REACH_PX, x0 : x + tile.shape[1] + _REACH_PX]
            shift = _best_shift(tile, window, (x - x0, y - y0))
            if shift is None:
                continue
            (dx, dy), sure = shift
            rows, columns = np.nonzero(tile > 96)
            if len(rows) == 0:
                continue
            middle = (x + float(columns.mean()), y + float(rows.mean()))
            at.append(middle)
            found.append((middle[0] + dx, middle[1] + dy))
            weights.append(sure)
    return np.array(at, np.float64), np.array(found, np.float64), np.array(weights, np.float64)


def _best_shift(
    tile: Gray, window: Gray, origin: tuple[int, int]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Shift of a tile inside of a window, and how sure it is, across and down; to part of a pixel.

    A tile that holds nothing but a rule can slide along it: it speaks across the rule, and stays
    where it is along it.
    """
    scores = np.asarray(
        cv2.matchTemplate(window.astype(np.float32), tile.astype(np.float32), cv2.TM_CCOEFF_NORMED),
        np.float32,
    )
    if not np.isfinite(scores).all():
        return None
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    home_x = min(max(origin[0], 1), scores.shape[1] - 2)
    home_y = min(max(origin[1], 1), scores.shape[0] - 2)
    clear_x, clear_y = _clear(scores[y], x), _clear(scores[:, x], y)
    if clear_y and not clear_x:
        x, y = home_x, int(scores[:, home_x].argmax())
    elif clear_x and not clear_y:
        x, y = int(scores[home_y].argmax()), home_y
    if best < _ALIKE or scores[y, x] < best - 0.1 or not (clear_x or clear_y):
        return None
    if not (0 < x < scores.shape[1] - 1 and 0 < y < scores.shape[0] - 1):
        return None
    dx = x - origin[0] + _parabola(scores[y, x - 1], scores[y, x], scores[y, x + 1])
    dy = y - origin[1] + _parabola(scores[y - 1, x], scores[y, x], scores[y + 1, x])
    sure = float(scores[y, x])
    return (
        (dx if clear_x else 0.0, dy if clear_y else 0.0),
        (sure if clear_x else UNCLEAR, sure if clear_y else UNCLEAR),
    )


def _clear(scores: NDArray[np.float32], place: int) -> bool:
    """Whether the correlation falls on both sides of its best place."""
    beside = max(scores[max(0, place - 3)], scores[min(len(scores) - 1, place + 3)])
    return bool(scores[place] - beside > _CLEAR_DROP)


def _parabola(left: float, middle: float, right: float) -> float:
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend < -1e-6 else 0.0


def shift_grid(shape: tuple[int, ...]) -> tuple[int, int]:
    return max(2, round(shape[0] / _TILE_PX)), max(2, round(shape[1] / _TILE_PX))


def smooth_field(
    at: NDArray[np.float64],
    shifts: NDArray[np.float64],
    weights: NDArray[np.float64],
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """Gaussian-weighted mean of scattered shifts on a grid over the form; pulled to none afar."""
    rows, columns = shift_grid(shape)
    ys = np.linspace(0, shape[0] - 1, rows)
    xs = np.linspace(0, shape[1] - 1, columns)
    if len(at) == 0:
        return np.zeros((rows, columns, 2))
    sigma = _FIELD_SIGMA_TILES * _TILE_PX
    near_y = np.exp(-0.5 * ((ys[:, None] - at[None, :, 1]) / sigma) ** 2)
    near_x = np.exp(-0.5 * ((xs[:, None] - at[None, :, 0]) / sigma) ** 2)
    total = np.einsum("rn,cn,nk->rck", near_y, near_x, weights) + 0.3
    return np.asarray(np.einsum("rn,cn,nk,nk->rck", near_y, near_x, weights, shifts) / total)


def shift_at(
    shifts: NDArray[np.float32], points: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float64]:
    """Bilinear value of the grid at form points (n, 2)."""
    rows, columns = shifts.shape[:2]
    x = np.clip(points[:, 0] / max(1, size[0] - 1), 0, 1) * (columns - 1)
    y = np.clip(points[:, 1] / max(1, size[1] - 1), 0, 1) * (rows - 1)
    x0, y0 = np.minimum(x.astype(int), columns - 2), np.minimum(y.astype(int), rows - 2)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    top = shifts[y0, x0] * (1 - fx) + shifts[y0, x0 + 1] * fx
    low = shifts[y0 + 1, x0] * (1 - fx) + shifts[y0 + 1, x0 + 1] * fx
    return np.asarray(top * (1 - fy) + low * fy, np.float64)
