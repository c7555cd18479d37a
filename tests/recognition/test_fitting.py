"""Weights of opinions follow the judges that deserve it."""

import numpy as np
import pytest

from clinic_hwr.recognition.fusion import Fusion, Opinions, equal_weights, fusion_from_json
from clinic_hwr.recognition.training.fitting import Ranked, fit_fusion

pytestmark = pytest.mark.thorough


def _crops(count: int, good: float, bad: float) -> list[Ranked]:
    """Two networks and no decoder: the first ranks the truth up, the second knows nothing."""
    rng = np.random.default_rng(1)
    crops = []
    for _ in range(count):
        opinions = [
            Opinions(
                f"{k}",
                (float(rng.normal(good * (k == 0), 1.0)), float(rng.normal(0, bad))),
                (0.0,),
                0.0,
            )
            for k in range(4)
        ]
        crops.append(Ranked(opinions, [k == 0 for k in range(4)]))
    return crops


def test_a_judge_that_knows_nothing_gets_no_weight():
    fusion = fit_fusion(_crops(600, good=3.0, bad=3.0), language=False)
    assert fusion.ctc[0] == pytest.approx(3.0, rel=0.25)  # log-likelihood ratio of N(3,1), N(0,1)
    assert fusion.ctc[1] < 0.1
    assert (fusion.language, fusion.bonus) == (0.0, 0.0)  # they take no part here


def test_the_fitted_weights_choose_better_than_equal_ones():
    crops = _crops(400, good=2.0, bad=4.0)

    def exact(fusion: Fusion) -> float:
        return float(
            np.mean([r.right[int(np.argmax([o.joint(fusion) for o in r.opinions]))] for r in crops])
        )

    assert exact(fit_fusion(crops, language=False)) > exact(equal_weights(2, False)) + 0.2


def test_nothing_to_learn_is_an_error():
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_fusion([Ranked([Opinions("a", (0.0,), ())], [False])], language=False)


def test_joint_is_the_weighted_sum():
    opinions = Opinions("abc", (-1.0, -2.0), (-0.5, -0.25, -0.25, 0.0), -6.0)
    assert opinions.joint(Fusion((1.0, 0.5), 2.0, 0.1, 0.2)) == pytest.approx(
        -1.0 - 1.0 - 2.0 - 0.6 + 0.6
    )
    values = {"ctc": [1.0, 0.5], "attention": 2.0, "language": 0.1, "bonus": 0.2}
    assert fusion_from_json(values) == Fusion((1.0, 0.5), 2.0, 0.1, 0.2)
