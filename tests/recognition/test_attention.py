"""Searching with the attention decoder against every string it can write."""

import itertools

import pytest
import torch

from clinic_hwr.recognition.decoding.attention import beam, greedy, string_log_probabilities
from clinic_hwr.recognition.stages.prediction import AttentionDecoder, shared_prefixes

CLASSES = 4
OPEN = torch.zeros(CLASSES, dtype=torch.bool)


@pytest.fixture(params=range(3))
def decoder(request):
    torch.manual_seed(request.param)
    made = AttentionDecoder(5, 6, CLASSES, 3).eval()
    with torch.no_grad():
        made.output.weight *= 3.0  # fresh weights are all but uniform
        made.output.bias[0] += 1.0  # some strings shall end
    return made


def _columns(crops: int, seed: int = 0):
    torch.manual_seed(100 + seed)
    mask = torch.ones(crops, 7, dtype=torch.bool)
    mask[-1, 4:] = False
    return torch.randn(crops, 7, 5), mask


def _scores(decoder, columns, mask, strings):
    """Log probability of each string of one crop, end included."""
    [found] = string_log_probabilities(decoder, columns[:1], mask[:1], [strings])
    return [sum(chars) for chars in found]


def test_strings_of_several_crops_are_scored_as_the_decoder_scores_them(decoder):
    columns, mask = _columns(3, 5)
    strings = [[(1, 2), (3,)], [(2, 2, 1)], [(), (1,), (3, 1, 2)]]
    found = string_log_probabilities(decoder, columns, mask, strings)
    assert [[len(chars) for chars in some] for some in found] == [[3, 2], [4], [1, 2, 4]]
    for b, some in enumerate(strings):
        for k, string in enumerate(some):
            targets = torch.tensor([list(string)], dtype=torch.long).reshape(1, -1)
            steps = decoder(columns[b : b + 1], mask[b : b + 1], targets).log_softmax(-1)[0]
            truth = [float(steps[i, c]) for i, c in enumerate((*string, 0))]
            assert found[b][k] == pytest.approx(truth, abs=1e-5)


def test_a_beam_that_never_prunes_is_the_exhaustive_search(decoder):
    columns, mask = _columns(2)
    strings = [
        s for n in range(4) for s in itertools.product(range(1, CLASSES), repeat=n)
    ]  # what can end within 4 steps
    found = beam(decoder, columns, mask, 400, 4, OPEN)
    for i in range(2):
        truth = dict(
            zip(
                strings, _scores(decoder, columns[i : i + 1], mask[i : i + 1], strings), strict=True
            )
        )
        assert [s for s, _ in found[i]] == sorted(truth, key=lambda s: -truth[s])
        assert [p for _, p in found[i]] == pytest.approx(sorted(truth.values(), reverse=True))


def test_a_beam_of_one_is_greedy(decoder):
    columns, mask = _columns(6, 1)
    for max_length in (1, 3, 12):
        found = beam(decoder, columns, mask, 1, max_length, OPEN)
        assert [crop[0][0] for crop in found] == greedy(decoder, columns, mask, max_length, OPEN)
        assert all(len(crop) == 1 for crop in found)


def test_scores_are_those_of_the_string_end_included(decoder):
    columns, mask = _columns(3, 2)
    for i, crop in enumerate(beam(decoder, columns, mask, 5, 12, OPEN)):
        strings, scores = zip(*crop, strict=True)
        truth = _scores(decoder, columns[i : i + 1], mask[i : i + 1], strings)
        assert list(scores) == pytest.approx(truth, abs=1e-5)
        assert list(scores) == sorted(scores, reverse=True)
        assert len(set(strings)) == len(strings)


def test_an_answer_does_not_depend_on_batch_mates(decoder):
    columns, mask = _columns(4, 3)
    together = beam(decoder, columns, mask, 4, 8, OPEN)
    for i in range(4):
        alone = beam(decoder, columns[i : i + 1], mask[i : i + 1], 4, 8, OPEN)[0]
        assert [s for s, _ in alone] == [s for s, _ in together[i]]


def test_each_crop_has_its_own_forbidden_classes(decoder):
    columns, mask = _columns(2, 4)
    forbidden = torch.tensor([[False, True, False, True], [False, False, True, True]])
    found = beam(decoder, columns, mask, 6, 6, forbidden)
    assert {c for s, _ in found[0] for c in s} <= {2}
    assert {c for s, _ in found[1] for c in s} <= {1}
    # One string a length can end; the scores are not rescaled to the classes that are left.
    strings = [s for s, _ in found[0]]
    truth = _scores(decoder, columns[:1], mask[:1], strings)
    assert [p for _, p in found[0]] == pytest.approx(truth, abs=1e-5)


def test_a_string_that_cannot_end_comes_back_unfinished(decoder):
    with torch.no_grad():
        decoder.output.bias[0] = -1e4
    columns, mask = _columns(2, 5)
    for crop in beam(decoder, columns, mask, 3, 5, OPEN):
        ((string, score),) = crop
        assert len(string) == 5
        assert -1e3 < score < 0.0


def test_prefixes_that_strings_share_are_numbered_once_and_ended_strings_leave():
    targets = torch.tensor([[[3, 4, 0], [3, 5, 6], [3, 4, 7]], [[2, 0, 0], [2, 0, 0], [2, 0, 0]]])
    first, second, third = shared_prefixes(targets)
    assert first.previous.tolist() == [[0], [0]]
    assert second.previous.tolist() == [[3], [2]]
    assert second.node.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert third.parent.tolist() == [[0, 0], [0, 0]]
    assert third.previous.tolist() == [[4, 5], [0, 0]]
    assert third.node.tolist() == [[0, 1, 0], [0, 0, 0]]
