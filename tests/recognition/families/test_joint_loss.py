"""Label smoothing as Kang et al. use it, and its sum with CTC."""

import math

import pytest
import torch

from clinic_hwr.recognition.architectures.contract import Encoded, ctc_loss
from clinic_hwr.recognition.architectures.joint_loss import joint_loss, smoothed_kl


def test_label_smoothing_is_the_divergence_from_one_wanted_and_two_other_classes():
    # given one character (class 2) and its end, and predictions of 3 classes
    logits = torch.tensor([[[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]]).log()
    # then 0.4 is shared by the two wrong classes and the true one keeps 0.6
    first = 0.2 * math.log(0.2 / 0.2) + 0.2 * math.log(0.2 / 0.3) + 0.6 * math.log(0.6 / 0.5)
    end = 0.6 * math.log(0.6 / 0.7) + 0.2 * math.log(0.2 / 0.2) + 0.2 * math.log(0.2 / 0.1)
    found = smoothed_kl(logits, torch.tensor([[2]]), torch.tensor([1]), 0.4)
    assert float(found) == pytest.approx((first + end) / 2, abs=1e-6)


def test_the_wanted_distribution_itself_costs_nothing():
    logits = torch.tensor([[[0.2, 0.2, 0.6], [0.6, 0.2, 0.2]]]).log()
    found = smoothed_kl(logits, torch.tensor([[2]]), torch.tensor([1]), 0.4)
    assert float(found) == pytest.approx(0.0, abs=1e-6)


def test_without_smoothing_it_is_the_cross_entropy():
    logits = torch.tensor([[[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]]).log()
    found = smoothed_kl(logits, torch.tensor([[2]]), torch.tensor([1]), 0.0)
    assert float(found) == pytest.approx(-(math.log(0.5) + math.log(0.7)) / 2, abs=1e-6)


def test_nothing_behind_the_end_counts():
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 5)
    targets, lengths = torch.tensor([[1, 2, 3], [4, 0, 0]]), torch.tensor([3, 1])
    before = smoothed_kl(logits, targets, lengths, 0.1)
    logits[1, 2:] = 9.0 * torch.randn(2, 5)
    assert torch.equal(smoothed_kl(logits, targets, lengths, 0.1), before)
    logits[1, 1] += torch.arange(5.0)  # the end itself does count
    assert not torch.equal(smoothed_kl(logits, targets, lengths, 0.1), before)


def test_ctc_has_the_share_it_is_given():
    torch.manual_seed(0)
    mask = torch.ones(2, 6, dtype=torch.bool)
    encoded = Encoded(torch.zeros(2, 6, 3), mask, torch.randn(2, 6, 5))
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[1, 2], [4, 0]])
    lengths = torch.tensor([2, 1])
    ctc = float(ctc_loss(encoded.ctc_logits, mask, targets, lengths))
    spelling = float(smoothed_kl(logits, targets, lengths, 0.1))
    found = joint_loss(encoded, logits, targets, lengths, 0.25, 0.1)
    assert float(found["loss"]) == pytest.approx(0.25 * ctc + 0.75 * spelling, abs=1e-6)
    alone = joint_loss(Encoded(encoded.columns, mask, None), logits, targets, lengths, 0.0, 0.1)
    assert float(alone["loss"]) == pytest.approx(spelling, abs=1e-6)
    assert set(alone) == {"loss", "attention"}
