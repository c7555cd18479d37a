"""An encoder on ONNX Runtime says what torch says."""

import pytest
import torch

from clinic_hwr.recognition.architectures import architecture, architecture_names, preset
from clinic_hwr.recognition.architectures.contract import Recognizer
from clinic_hwr.recognition.charset import Charset
from clinic_hwr.recognition.inference import prepare_for_inference
from clinic_hwr.recognition.onnx_encoder import OnnxRecognizer
from clinic_hwr.recognition.runtime import weights_paths
from clinic_hwr.recognition.training.checkpoints import load_weights

TOLERANCE = 1e-3
SHIPPED = ("trba", "fcn_ctc")


@pytest.fixture(scope="module", params=SHIPPED)
def pair(request):
    _, model = load_weights(weights_paths(request.param)[0])
    return model, OnnxRecognizer(model, prepare_for_inference(model), threads=1)


@pytest.mark.parametrize(("count", "width"), [(1, 32), (3, 160), (5, 320)])
@torch.inference_mode()
def test_log_probabilities_and_columns_agree_at_any_size(pair, count, width):
    model, exported = pair
    torch.manual_seed(count)
    images = torch.rand(count, 1, model.config.height_px, width).clamp_min(0.5) - 0.5
    widths = torch.full((count,), width)
    wanted, found = model.encode(images, widths), exported.encode(images, widths)
    assert found.ctc_log_probs() == pytest.approx(wanted.ctc_log_probs(), abs=TOLERANCE)
    assert torch.allclose(found.columns, wanted.columns, atol=TOLERANCE)
    assert torch.equal(found.mask, wanted.mask)


@torch.inference_mode()
def test_readings_with_the_decoder_agree(pair):
    model, exported = pair
    torch.manual_seed(7)
    images = torch.rand(2, 1, model.config.height_px, 128)
    widths = torch.full((2,), 128)
    assert exported.greedy(images, widths) == model.greedy(images, widths)
    assert (exported.decoder is None) == (model.decoder is None)


def test_it_cannot_be_trained(pair):
    empty = torch.zeros(0)
    with pytest.raises(TypeError, match="cannot be trained"):
        pair[1].loss(empty, empty, empty, empty)


def test_a_family_without_an_exported_encoder_is_refused():
    class Plain(Recognizer):
        def encode_batch(self, images, widths):
            raise NotImplementedError

        def loss(self, images, widths, targets, lengths):
            raise NotImplementedError

    plain = Plain(None, Charset("ab"))
    with pytest.raises(ValueError, match="no encoder for ONNX Runtime"):
        OnnxRecognizer(plain, plain, threads=1)


@torch.inference_mode()
def test_every_family_that_can_be_exported_agrees():
    exportable = []
    for name in architecture_names():
        if architecture(name).reads == "nothing":
            continue
        torch.manual_seed(1)
        model = architecture(name).build(preset(name, "tiny"), Charset("abc")).eval()
        if model.exported_encoder() is None:
            continue
        exportable.append(name)
        exported = OnnxRecognizer(model, model, threads=1)
        images = torch.rand(2, 1, model.config.height_px, 72)
        widths = torch.tensor([72, 40])
        wanted, found = model.encode(images, widths), exported.encode(images, widths)
        assert torch.allclose(found.columns, wanted.columns, atol=TOLERANCE), name
        assert torch.allclose(found.ctc_logits, wanted.ctc_logits, atol=TOLERANCE), name
    assert set(exportable) >= {"trba", "fcn_ctc", "crnn_ctc"}


def test_a_family_without_a_ctc_layer_has_no_logits():
    from dataclasses import replace

    config = replace(preset("trba", "tiny"), prediction="attn")
    torch.manual_seed(0)
    model = architecture("trba").build(config, Charset("ab")).eval()
    exported = OnnxRecognizer(model, prepare_for_inference(model), threads=1)
    with torch.inference_mode():
        found = exported.encode(torch.rand(2, 1, 32, 96), torch.full((2,), 96))
    assert found.ctc_logits is None
    assert found.columns.shape[:2] == (2, 24)
