"""A sheet of paper before a camera: turned, tilted, bent like a book page, on a table.

The sheet is a cylinder over a smooth height profile, seen through a pinhole; so straight rows come
out neither straight nor parallel, as on photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_GRID_PX = 8  # the view is computed at every eighth pixel and interpolated
_FIXED_POINT_STEPS = 12
_EYE = 2.2  # distance of the camera in long sides of the paper: a phone at arm's length


@dataclass(frozen=True)
class CameraView:
    """Where every point of a sheet lands in the picture.

    Attributes:
        paper: (width, height) of the sheet in pixels.
        size: (width, height) of the picture in pixels.
        pose: 3x3, paper millimetres in space to picture pixels, before bending.
        bend: coefficients of the height profile in shares of the width.
    """

    paper: tuple[int, int]
    size: tuple[int, int]
    camera: Floats
    to_picture: Floats
    bend: tuple[float, float]

    def project(self, points: Floats) -> Floats:
        """Paper pixels (n, 2) to picture pixels (n, 2); also a little beyond the paper's edge."""
        width, height = self.paper
        long = max(width, height)
        u = points[:, 0] / width
        # The profile goes on straight outside of the paper.
        inside = np.clip(u, 0.0, 1.0)
        lift = (self.bend[0] * np.sin(np.pi * inside)
                + self.bend[1] * inside**2 * (1 - inside)) * width / long  # fmt: skip
        space = np.stack(
            [
                (points[:, 0] - width / 2) / long,
                (points[:, 1] - height / 2) / long,
                -lift,
                np.ones(len(points)),
            ]
        )
        seen = self.camera @ space
        flat = np.stack([seen[0] / seen[2], seen[1] / seen[2], np.ones(len(points))])
        picture = self.to_picture @ flat
        return np.asarray((picture[:2] / picture[2]).T, np.float64)

    def paper_points(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For every picture pixel, the x and the y of the paper seen there (may be off it)."""
        columns = np.arange(0, self.size[0] + _GRID_PX, _GRID_PX, dtype=np.float64)
        rows = np.arange(0, self.size[1] + _GRID_PX, _GRID_PX, dtype=np.float64)
        wanted = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
        width, height = self.paper
        edge = np.stack(
            np.meshgrid(np.linspace(0, width, 9), np.linspace(0, height, 9)), -1
        ).reshape(-1, 2)
        flat, _ = cv2.findHomography(self.project(edge), edge)
        start = _transformed(wanted, np.asarray(flat, np.float64))
        points = start.copy()
        for _ in range(_FIXED_POINT_STEPS):
            off = start - _transformed(self.project(points), np.asarray(flat, np.float64))
            points += off
        maps = points.reshape(len(rows), len(columns), 2).astype(np.float32)
        # Coarse node k stands for picture pixel k * _GRID_PX.
        xs, ys = np.meshgrid(
            np.arange(self.size[0], dtype=np.float32) / _GRID_PX,
            np.arange(self.size[1], dtype=np.float32) / _GRID_PX,
        )
        x = cv2.remap(maps[..., 0], xs, ys, cv2.INTER_LINEAR)
        y = cv2.remap(maps[..., 1], xs, ys, cv2.INTER_LINEAR)
        return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _transformed(points: Floats, matrix: Floats) -> Floats:
    moved = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def camera_view(
    paper: tuple[int, int],
    *,
    turn_deg: float,
    tilt_deg: tuple[float, float],
    bend: tuple[float, float],
    margin: float,
) -> CameraView:
    """Look at a sheet.

    Args:
        paper: (width, height) in pixels.
        turn_deg: rotation in the picture, counter-clockwise.
        tilt_deg: how far the sheet leans back, and to the side.
        bend: height of the middle, and of a bump off it, in shares of the width.
        margin: table around the sheet as a share of the picture; negative cuts the sheet's edge.
    """
    pitch, yaw = np.deg2rad(tilt_deg)
    turn = np.deg2rad(turn_deg)
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_z = np.array(
        [[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    camera = np.c_[about_z @ about_y @ about_x, [0.0, 0.0, _EYE]]
    raw = CameraView(paper, (1, 1), camera, np.eye(3), bend)
    width, height = paper
    t = np.linspace(0.0, 1.0, 21)
    rim = np.concatenate(
        [np.c_[t * width, 0 * t], np.c_[t * width, 0 * t + height],
         np.c_[0 * t, t * height], np.c_[0 * t + width, t * height]]
    )  # fmt: skip
    seen = raw.project(rim)
    low, high = seen.min(axis=0), seen.max(axis=0)
    # As many pixels an inch in the middle of the picture as the drawing has.
    scale = max(width, height) * _EYE
    pad = margin * (high - low)
    size = np.ceil((high - low + 2 * pad) * scale).astype(int)
    matrix = np.array(
        [[scale, 0, -(low[0] - pad[0]) * scale], [0, scale, -(low[1] - pad[1]) * scale], [0, 0, 1]]
    )
    return CameraView(paper, (int(size[0]), int(size[1])), camera, matrix, bend)


def table_top(shape: tuple[int, int], gray: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A surface to lie on: grain along one direction, uneven, (height, width) float32."""
    height, width = shape
    along = (max(2, height // 6), max(2, width // 160))
    grain = cv2.resize(rng.normal(0, 1, along).astype(np.float32), (width, height))
    blotch = cv2.resize(rng.normal(0, 1, (5, 5)).astype(np.float32), (width, height),
                        interpolation=cv2.INTER_CUBIC)  # fmt: skip
    return np.asarray(gray + 6.0 * grain + 9.0 * blotch, np.float32)
