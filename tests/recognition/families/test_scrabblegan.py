"""ScrabbleGAN: how its generator writes and its discriminator judges."""

import numpy as np
import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, preset
from clinic_hwr.recognition.architectures.scrabblegan import ScrabbleGan
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.stages.biggan import SpectralConv2d
from clinic_hwr.recognition.synthesis.gan import GanSource, load_generator
from clinic_hwr.recognition.training.checkpoints import (
    WeightsRefused,
    export_weights,
    load_weights,
)

CHARSET = Charset("abcd")
TINY = preset("scrabblegan", "tiny")


def _model(seed=0) -> ScrabbleGan:
    torch.manual_seed(seed)
    model = architecture("scrabblegan").build(TINY, CHARSET)
    model.seen.fill_(100)
    # Noise of the first weights is too weak to see: let the patches differ clearly.
    torch.nn.init.normal_(model.generator.filters)
    return model.eval()


def _classes(text: str) -> torch.Tensor:
    return torch.tensor([CHARSET.encode(text)])


# --- the generator ---------------------------------------------------------------------------


def test_ink_is_32_px_high_and_16_px_wide_a_character():
    inks = _model().write(["a", "abc", "abcdabcd"], np.random.default_rng(1))
    assert [ink.shape for ink in inks] == [(32, 16), (32, 48), (32, 128)]
    assert {ink.dtype for ink in inks} == {np.dtype(np.uint8)}


def test_a_character_has_the_same_patch_wherever_it_stands():
    model = _model()
    z = model.draw_styles(1, np.random.default_rng(2))
    first = model.generator.patches(_classes("abca"), z)[0]
    second = model.generator.patches(_classes("cab"), z)[0]
    assert first.shape == (4, TINY.generator[0], 4, 4)
    assert torch.equal(first[0], first[3])
    assert torch.equal(first[0], second[1])
    assert not torch.allclose(first[0], first[1])


def test_the_filters_of_a_bank_are_weighed_by_the_first_part_of_the_noise():
    model = _model()
    z = torch.zeros(1, model.generator.noise_size)
    z[0, 2], z[0, TINY.noise_part] = 3.0, 5.0  # the second number belongs to the first block
    patch = model.generator.patches(_classes("b"), z)[0, 0]
    assert torch.allclose(patch.flatten(), 3.0 * model.generator.filters[1, 2])


def test_every_part_of_the_noise_changes_the_ink():
    model = _model()
    z = model.draw_styles(1, np.random.default_rng(3))
    ink = model.generator(_classes("ab"), z)
    for part in range(4):
        other = z.clone()
        other[:, part * TINY.noise_part] += 2.0
        assert not torch.allclose(model.generator(_classes("ab"), other), ink), part


def test_a_neighbour_is_felt_for_half_a_character_and_no_further():
    # Given a word whose third character is replaced.
    model = _model()
    z = model.draw_styles(1, np.random.default_rng(4))
    before = model.generator(_classes("abcda"), z)
    after = model.generator(_classes("abada"), z)
    columns = torch.nonzero((before != after).any(2).flatten()).flatten()
    # Then ink changes from half a character before it to half a character behind it: three
    # blocks of 3 x 3 see 8 px across the border.
    assert (int(columns.min()), int(columns.max())) == (32 - 8, 48 + 8 - 1)


def test_a_word_is_written_alike_in_any_company():
    model = _model()
    z = model.draw_styles(3, np.random.default_rng(5))
    together = model.write(["abc", "d", "bca"], z)
    alone = model.write(["bca"], z[2:])
    assert np.array_equal(together[2], alone[0])


def test_a_text_that_is_empty_or_unknown_is_refused():
    model = _model()
    with pytest.raises(ValueError, match="empty"):
        model.write(["a", ""], np.random.default_rng(0))
    assert model.can_write("abcd")
    assert not model.can_write("abe")
    assert not model.can_write("")
    model.seen[1] = 0
    assert not model.can_write("ab")


def test_writing_leaves_a_model_in_training_as_it_was():
    model = _model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.write(["ab"], np.random.default_rng(0))
    assert model.generator.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


# --- the discriminator -----------------------------------------------------------------------


@pytest.mark.parametrize("width", [16, 48, 200])
def test_the_discriminator_scores_crops_of_any_width_without_a_text(width):
    model = _model()
    crops = torch.rand(2, 1, 32, width)
    patches = model.discriminator.patch_scores(crops)
    assert patches.shape == (2, 4, width // 8)
    assert torch.allclose(model.discriminator(crops), patches.mean((1, 2)))


def test_a_patch_sees_its_surroundings_only():
    model = _model()
    crop = torch.rand(1, 1, 32, 320)
    other = crop.clone()
    other[..., 160:168] = 1 - other[..., 160:168]
    changed = model.discriminator.patch_scores(crop) != model.discriminator.patch_scores(other)
    columns = torch.nonzero(changed.any(1).flatten()).flatten()
    # Overlapping receptive fields: neighbours of patch 20 move too, distant patches do not.
    assert 16 <= int(columns.min()) < 20 < int(columns.max()) <= 24


def test_spectral_norm_brings_the_largest_singular_value_to_one():
    torch.manual_seed(1)
    layer = SpectralConv2d(6, 8, 3).train()
    torch.nn.init.normal_(layer.weight, 0.0, 3.0)
    with torch.no_grad():
        for _ in range(60):
            layer(torch.rand(1, 6, 8, 8))
    largest = torch.linalg.matrix_norm(layer.norm(layer.weight).detach().flatten(1), 2)
    assert float(largest) == pytest.approx(1.0, abs=1e-3)
    # An averaged vector, which is no longer of length one, changes nothing.
    layer.eval()
    normalised = layer.norm(layer.weight)
    layer.norm.u.mul_(0.5)
    assert torch.allclose(layer.norm(layer.weight), normalised)


def test_words_of_a_text_share_a_hand_and_stand_apart():
    model = _model()
    ink = GanSource(model, None).ink("ab ab", np.random.default_rng(3))
    assert ink.shape[1] > 2 * ink.shape[0]  # two words of 32 x 32 and a gap


def test_weights_come_back_and_another_family_is_refused(tmp_path):
    model = _model()
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    path = tmp_path / "w.safetensors"
    export_weights(path, "scrabblegan", TINY, CHARSET, model.state_dict())
    name, found = load_weights(path)
    assert name == "scrabblegan"
    assert found.seen.tolist() == [100] * 4
    z = model.draw_styles(1, np.random.default_rng(6))
    assert np.array_equal(model.write(["abc"], z)[0], found.write(["abc"], z)[0])
    other = architecture("fcn_ctc").build(preset("fcn_ctc", "tiny"), CHARSET)
    export_weights(path, "fcn_ctc", other.config, CHARSET, other.state_dict())
    with pytest.raises(WeightsRefused, match="fcn_ctc"):
        load_generator(path)


def test_the_paper_size_is_the_documented_one():
    entry = architecture("scrabblegan")
    assert entry.reads == "nothing"
    with torch.device("meta"):
        model = entry.build(entry.presets["paper"], Charset())
        small = entry.build(entry.presets["small"], Charset())
    assert sum(p.numel() for p in model.parameters()) == entry.paper_parameters
    assert sum(p.numel() for p in small.parameters()) <= 3_000_000
    # 32 numbers of noise times 8192 = 512 x 4 x 4 a character, as printed in the paper.
    assert model.generator.filters.shape == (95, 32, 8192)
    assert model.generator.noise_size == 128


def test_the_recognizer_has_no_recurrent_layer():
    kinds = {type(module) for module in _model().recognizer.modules()}
    assert not any(issubclass(kind, torch.nn.RNNBase | torch.nn.RNNCellBase) for kind in kinds)
