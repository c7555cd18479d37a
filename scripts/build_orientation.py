"""Fit the network of ``clinic_hwr/pages/glyphs.py``: which way up letters stand.

    python scripts/build_orientation.py --data FOLDER [--cuts FOLDER] [--fonts FOLDER] OUT

It learns from letters of generated pages (training layouts and hands only, under every
degradation) and of words printed in the fonts of a folder. Takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from clinic_hwr.pages.background import flatten_background, ink_mask
from clinic_hwr.pages.glyphs import PATCH_SIDE, letter_patches
from clinic_hwr.recognition.synthesis.pages import DEGRADATIONS, draw_pages, layouts_with
from clinic_hwr.recognition.synthesis.pages_content import MEDICATIONS
from clinic_hwr.recognition.synthesis.pages_hands import page_hands
from clinic_hwr.recognition.synthesis.pages_varied import LANGUAGES, varied_content

HIDDEN = (192, 64)


def page_letters(data: Path | None, cuts: Path | None, count: int, seed: int) -> Iterator[object]:
    """Patches of generated pages, turned so that they stand upright."""
    hands = page_hands(data, "train", cuts_dir=cuts)
    # Faxes of unequal resolution are stretched before letters are looked at.
    pages = draw_pages(
        hands, count=count, seed=seed, layouts=layouts_with("train"),
        degradations=sorted(DEGRADATIONS),
    )  # fmt: skip
    for page in pages:
        gray = page.gray
        if page.settings.fax_dpi and page.settings.fax_dpi[1] < 150:
            gray = cv2.resize(gray, (gray.shape[1], 2 * gray.shape[0]))
        scale = min(1.0, 2200 / max(gray.shape))
        gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        ink = ink_mask(flatten_background(np.asarray(gray, np.uint8)))
        patches = letter_patches(ink)
        yield np.rot90(patches, page.settings.quarter_turns, (1, 2))


def printed_letters(fonts: list[Path], count: int, rng: np.random.Generator) -> Iterator[object]:
    """Patches of words printed in other fonts, in any size, blurred and noisy."""
    for number in range(count):
        path = fonts[int(rng.integers(len(fonts)))]
        size = int(rng.integers(14, 52))
        try:
            font = ImageFont.truetype(str(path), size)
        except OSError:
            continue
        image = Image.new("L", (1000, 700), 255)
        draw = ImageDraw.Draw(image)
        y = 10
        while y < 650:
            content = varied_content(rng, LANGUAGES[number % len(LANGUAGES)])
            one = MEDICATIONS[int(rng.integers(len(MEDICATIONS)))]
            text = f"{content.patient_name} {one.drug} {content.practice_name} {one.sig}"
            if rng.random() < 0.25:
                text = text.upper()
            draw.text((20, y), text, fill=int(rng.integers(0, 90)), font=font)
            y += round(size * rng.uniform(1.2, 2.5))
        gray = np.asarray(image)
        turn = cv2.getRotationMatrix2D((500, 350), float(rng.normal(0, 4)), 1.0)
        gray = cv2.warpAffine(gray, turn, (1000, 700), borderValue=255).astype(np.float32)
        gray = cv2.GaussianBlur(gray, (0, 0), float(rng.uniform(0.3, 1.6)))
        gray += rng.normal(0, rng.uniform(0, 12), gray.shape)
        yield letter_patches(ink_mask(np.clip(gray, 0, 255).astype(np.uint8)))


def fit(patches: np.ndarray, seed: int, epochs: int = 12) -> nn.Sequential:
    """Fit by softmax over the four turns of each patch."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(PATCH_SIDE**2, HIDDEN[0]), nn.ReLU(), nn.Linear(HIDDEN[0], HIDDEN[1]),
        nn.ReLU(), nn.Linear(HIDDEN[1], 1),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-3)
    data = torch.from_numpy(np.ascontiguousarray(patches))
    steps = epochs * (len(data) // 512)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        batch = data[torch.randint(len(data), (512,))]
        # A faint vote for nothing: a letter may be lost in noise.
        batch = (batch * (0.7 + 0.6 * torch.rand(512, 1, 1))).clamp(0, 1)
        turned = torch.stack([torch.rot90(batch, k, (1, 2)) for k in range(4)], 1)
        scores = model(turned.reshape(512 * 4, -1)).reshape(512, 4)
        loss = nn.functional.cross_entropy(
            scores, torch.zeros(512, dtype=torch.long), label_smoothing=0.05
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 500 == 0:
            right = (scores.argmax(1) == 0).float().mean()
            print(f"{step}/{steps} loss {loss.item():.3f} letters right {right:.3f}", flush=True)
    return model


def main() -> None:
    """Draw, fit, store as float16."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cuts", type=Path)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--pages", type=int, default=640)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(options.seed)
    parts = list(page_letters(options.data, options.cuts, options.pages, options.seed))
    fonts = sorted(options.fonts.rglob("*.ttf")) if options.fonts else []
    if fonts:
        parts += list(printed_letters(fonts, 250, rng))
    patches = np.concatenate(parts)
    print(len(patches), "letters", flush=True)
    model = fit(patches, options.seed)
    arrays = {}
    for number, place in enumerate((0, 2, 4), start=1):
        layer = model[place]
        arrays[f"w{number}"] = layer.weight.detach().numpy().T.astype(np.float16)
        arrays[f"b{number}"] = layer.bias.detach().numpy().astype(np.float16)
    np.savez_compressed(options.out, **arrays)


if __name__ == "__main__":
    main()
