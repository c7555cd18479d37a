"""Convolutional features, the second stage: a timm ResNet that narrows height, not width.

timm's ResNet halves both sides at every stage. Text needs its width: the strides of the
last two stages become (2, 1), as in CRNN and in Baek et al. 2019, so that one output column
stands for four input pixels.
"""

from __future__ import annotations

from torch import Tensor, nn

from clinic_hwr.recognition.torchvision_ops import declare_missing_ops

declare_missing_ops()

from timm.models.resnet import BasicBlock, ResNet  # noqa: E402  (needs the ops declared first)

PIXELS_PER_COLUMN = 4


class ResNetFeatures(nn.Module):
    """Columns of features from crops.

    Args:
        channels: of the four stages.
        layers: BasicBlocks in each stage.
        stem_width: half the channels of the stem's output.
    """

    foldable = True  # each normalisation follows its own convolution; see ``inference``

    def __init__(
        self,
        channels: tuple[int, int, int, int],
        layers: tuple[int, int, int, int],
        stem_width: int,
    ):
        super().__init__()
        net = ResNet(
            BasicBlock,  # type: ignore[arg-type]  # timm annotates an instance, wants the class
            layers,
            num_classes=0,
            in_chans=1,
            stem_type="deep",
            stem_width=stem_width,
            channels=channels,
        )
        net.add_module("maxpool", nn.Identity())  # the stem's own stride of 2 is enough at 32 px
        for stage in ("layer3", "layer4"):
            _keep_width(net.get_submodule(f"{stage}.0"))
        self.net = net
        self.out_channels = channels[-1]

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, height, width) -> (batch, width / 4, channels); height is max-pooled."""
        features = self.net.forward_features(images)  # (B, C, H/16, W/4)
        return features.amax(dim=2).transpose(1, 2)


def _keep_width(block: nn.Module) -> None:
    """Turn the (2, 2) strides of a stage's first block into (2, 1)."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (2, 1)
