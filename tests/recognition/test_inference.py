"""The fast copy of a network computes what the network computes; threads stay within a limit."""

import copy
from pathlib import Path

import cv2
import pytest
import torch
from torch import nn

from clinic_hwr import recognition
from clinic_hwr.recognition.architectures import architecture, architecture_names, preset
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.inference import limit_threads, prepare_for_inference
from clinic_hwr.recognition.training.checkpoints import load_weights

WEIGHTS_DIR = Path(recognition.__file__).parent / "weights"
TOLERANCE = 1e-3  # of a log probability; float32 noise is about 1e-5


def _with_statistics(model):
    """Give every normalisation its own mean, variance, scale and shift, as training would."""
    generator = torch.Generator().manual_seed(11)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.3, 2.0),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.5, 0.5),
            ):
                tensor.uniform_(low, high, generator=generator)
    return model


READERS = [name for name in architecture_names() if architecture(name).reads != "nothing"]


@pytest.fixture(params=READERS)
def model(request):
    torch.manual_seed(3)
    config = preset(request.param, "tiny")
    return _with_statistics(architecture(request.param).build(config, Charset("abcdefgh"))).eval()


def _crops(model, count, width):
    generator = torch.Generator().manual_seed(count + width)
    width = min(width, model.config.max_width_px)
    images = torch.rand(count, 1, model.config.height_px, width, generator=generator)
    return images, torch.full((count,), width)


def _answers(model, count, width):
    """Columns, and CTC log probabilities where there are any."""
    with torch.inference_mode():
        encoded = model.encode(*_crops(model, count, width))
    if encoded.ctc_logits is None:
        return encoded.columns
    columns, logits = encoded.columns.flatten(), encoded.ctc_logits.log_softmax(-1).flatten()
    return torch.cat([columns, logits.clamp_min(-100)])


@pytest.mark.parametrize(("count", "width"), [(1, 32), (1, 208), (5, 96)])
def test_the_fast_copy_computes_the_same(model, count, width):
    expected = _answers(model, count, width)
    found = _answers(prepare_for_inference(model), count, width)
    assert (found - expected).abs().max() < TOLERANCE


def test_the_comparison_would_notice_another_normalisation(model):
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        pytest.skip("a family without batch normalisation")
    fast = prepare_for_inference(model)
    for module in norms:
        module.running_mean.add_(0.05)
    assert (_answers(fast, 2, 96) - _answers(model, 2, 96)).abs().max() > TOLERANCE


READERS = [p for p in sorted(WEIGHTS_DIR.glob("*.safetensors")) if "scrabblegan" not in p.stem]


@pytest.mark.parametrize("path", READERS, ids=lambda p: p.stem)
def test_shipped_weights_keep_their_log_probabilities(path):
    _, model = load_weights(path)
    expected = _answers(model, 3, 160)
    assert (_answers(prepare_for_inference(model), 3, 160) - expected).abs().max() < TOLERANCE


def test_foldable_features_hold_no_normalisation_and_lie_channels_last(model):
    if not any(getattr(m, "foldable", False) for m in model.modules()):
        pytest.skip("a family without features that can be folded")
    fast = prepare_for_inference(model)
    assert not [m for m in fast.features.modules() if isinstance(m, nn.BatchNorm2d)]
    for module in fast.modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.is_contiguous(memory_format=torch.channels_last)


def test_the_given_model_is_left_as_it_was(model):
    model.train()
    before = copy.deepcopy(model.state_dict())
    kinds = [type(m) for m in model.modules()]
    fast = prepare_for_inference(model)
    assert model.training
    assert not fast.training
    assert type(fast) is type(model)
    assert [type(m) for m in model.modules()] == kinds
    assert before.keys() == model.state_dict().keys()
    with torch.no_grad():
        for p in fast.parameters():
            p.zero_()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.fixture
def threads_restored():
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.mark.parametrize("count", [1, 2])
def test_both_libraries_obey_the_limit(threads_restored, count):
    limit_threads(count)
    assert torch.get_num_threads() == count
    assert cv2.getNumThreads() == count


def test_no_thread_at_all_is_refused(threads_restored):
    with pytest.raises(ValueError, match="at least one"):
        limit_threads(0)
