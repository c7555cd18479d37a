"""Guiding an attention: a batch is aligned like its strings; looking right costs nothing."""

from __future__ import annotations

import math

import pytest
import torch

from clinic_hwr.recognition.decoding.ctc import forced_alignment
from clinic_hwr.recognition.training.guided_attention import align, guide_loss, places


def test_a_batch_is_aligned_like_its_strings_one_by_one() -> None:
    torch.manual_seed(1)
    log_probs = (3 * torch.randn(3, 12, 6)).log_softmax(-1)
    strings, widths = [[1, 1, 2], [3, 4, 5, 3, 2], [2]], [12, 10, 7]
    targets = torch.zeros(3, 5, dtype=torch.long)
    for row, string in enumerate(strings):
        targets[row, : len(string)] = torch.tensor(string)
    mask = torch.arange(12) < torch.tensor(widths).unsqueeze(1)

    found = align(log_probs, mask, targets, torch.tensor([3, 5, 1]))

    for row, (string, width) in enumerate(zip(strings, widths, strict=True)):
        wanted = forced_alignment(log_probs[row, :width].numpy(), string)
        assert wanted is not None
        assert found[row, : len(string)].tolist() == list(wanted[0])
        assert (found[row, len(string) :] == -1).all()


def test_a_text_that_does_not_fit_is_not_aligned() -> None:
    log_probs = torch.zeros(1, 4, 3).log_softmax(-1)
    mask = torch.tensor([[True, True, False, False]])

    found = align(log_probs, mask, torch.tensor([[1, 2, 1]]), torch.tensor([3]))

    assert found.tolist() == [[-1, -1, -1]]


@pytest.mark.parametrize(("place", "wanted"), [((4, 1), 0.0), ((4, 0), -math.log(1e-6))])
def test_looking_at_the_letter_costs_nothing_and_elsewhere_much(
    place: tuple[int, int], wanted: float
) -> None:
    columns, row = place
    attention = torch.zeros(1, 2, 8, 2)
    attention[0, 0, columns, row] = 1.0
    rows = torch.tensor([[[0.0, 1.0]]])  # the line lies in the lower row

    found = guide_loss(attention.flatten(2), torch.tensor([[5]]), rows, height=2)

    assert float(found) == pytest.approx(wanted, abs=1e-5)


def test_nothing_known_guides_nowhere() -> None:
    attention = torch.full((1, 2, 6), 1 / 6, requires_grad=True)

    found = guide_loss(attention, torch.tensor([[-1]]), torch.ones(1, 1, 2), height=2)
    found.backward()

    assert float(found.detach()) == 0.0


def test_a_place_is_the_letter_s_columns_in_its_line() -> None:
    rows = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])

    found = places(torch.tensor([[0, -1]]), rows, width=4).unflatten(2, (4, 2))

    assert found[0, 0, :, 1].tolist() == [0.5, 0.5, 0.0, 0.0]
    assert float(found[0, 0, :, 0].sum() + found[0, 1].sum()) == 0.0
