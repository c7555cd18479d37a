"""Muon moves what it should, however a kernel lies in memory."""

import copy

import pytest
import torch
from torch import nn

from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.training.optimisers import MuonAndAdamW, make_optimiser


class Small(nn.Module):
    """A first kernel, a hidden one, an embedding, and a layer that writes classes."""

    def __init__(self):
        super().__init__()
        self.charset = Charset("abc")
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.hidden = nn.Conv2d(4, 6, 3, padding=1)
        self.embed = nn.Embedding(5, 6)
        self.write = nn.Linear(6, self.charset.size)

    def forward(self, images):
        columns = self.hidden(self.first(images)).mean((2, 3))
        return self.write(columns + self.embed.weight.sum(0)).square().mean()


def _moved(name, channels_last=False, steps=3):
    torch.manual_seed(0)
    model = Small()
    images = torch.rand(2, 1, 8, 8)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    optimiser = make_optimiser(name, model, 0.0)
    optimiser.set_rate(0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        model(images).backward()
        optimiser.step()
    return {k: v - before[k] for k, v in model.state_dict().items()}


def test_every_weight_moves():
    assert [k for k, moved in _moved("muon").items() if not moved.any()] == []


def test_a_hidden_kernel_moves_by_a_nearly_orthogonal_matrix():
    torch.manual_seed(2)
    model = Small()
    before = model.hidden.weight.detach().clone()
    optimiser = make_optimiser("muon", model, 0.0)
    optimiser.set_rate(0.01)
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    optimiser.step()
    moved = (model.hidden.weight.detach() - before).flatten(1)
    scale = 0.01 * 0.2 * max(moved.shape) ** 0.5  # so that the mean square is AdamW's
    values = torch.linalg.svdvals(moved / scale)
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_the_edges_of_the_network_move_as_adamw_moves_them():
    moved = _moved("muon", steps=1)
    for name in ("first.weight", "embed.weight", "write.weight"):
        seen = moved[name][moved[name] != 0].abs()
        assert torch.allclose(seen, torch.full_like(seen, 0.005), rtol=1e-2), name


def test_the_memory_format_changes_nothing():
    plain, last = _moved("muon"), _moved("muon", channels_last=True)
    for name in plain:
        assert torch.allclose(plain[name], last[name], atol=2e-4), name


def test_a_resumed_optimiser_goes_on_with_its_momentum():
    torch.manual_seed(0)
    model = Small()
    images = torch.rand(2, 1, 8, 8)

    def step(optimiser):
        optimiser.set_rate(0.01)
        optimiser.zero_grad()
        model(images).backward()
        optimiser.step()

    first = MuonAndAdamW(model, 0.0)
    step(first)
    saved = {k: v.clone() for k, v in model.state_dict().items()}
    state = copy.deepcopy(first.state_dict())
    step(first)
    wanted = model.hidden.weight.clone()
    model.load_state_dict(saved)
    second = MuonAndAdamW(model, 0.0)
    second.load_state_dict(state)
    step(second)
    assert torch.equal(model.hidden.weight, wanted)


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(ValueError, match="adamw, muon"):
        make_optimiser("sgd", Small(), 0.0)
