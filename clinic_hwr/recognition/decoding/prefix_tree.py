"""A prefix tree of strings, and the frames of a crop passed through it.

Every node holds the probability that the frames so far spell its prefix (CTC; ending in a blank
or in the node's character). Strings that begin alike share the work, and what no string spells
is never looked at (token passing with a tree: Graves 2012, section 7.5; Hannun et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Probabilities = NDArray[np.float64]
# A tree of this size is searched whole: exact, and no slower than the beam.
WHOLE_TREE_NODES = 4000
# Alive after each frame. With 50,000 names and 200 words of held-out Copiste writers, the best
# name is that of a search of the whole tree for 95% with 256 nodes, 99.5% with 512 and with 2048.
BEAM_NODES = 512
BEAM_RATIO = 1e-12  # a node this much less probable than the best one is dropped


class PrefixTree:
    """Strings as a tree; nodes are numbered level by level, so siblings are neighbours.

    Args:
        strings: distinct, sorted, not empty; classes without blanks.

    Attributes:
        parent: (nodes,) the root, node 0, is its own parent.
        label: (nodes,) class that leads to each node; 0 for the root.
        first_child: (nodes + 1,) the children of node k are ``first_child[k]`` up to
            ``first_child[k + 1]``.
        string: (nodes,) number of the string that ends at each node, or -1.
    """

    def __init__(self, strings: Sequence[Sequence[int]]):
        lengths = np.array([len(s) for s in strings], np.int64)
        table = np.zeros((len(strings), int(lengths.max(initial=0))), np.int64)
        table[np.arange(table.shape[1]) < lengths[:, None]] = [c for s in strings for c in s]
        differs = np.ones(table.shape, bool)  # from the string above, at or before this place
        differs[1:] = np.logical_or.accumulate(table[1:] != table[:-1], axis=1)
        starts = differs & (table > 0)  # a node is named by the first string through it
        depth, row = np.nonzero(starts.T)
        at = np.zeros((len(strings), table.shape[1] + 1), np.int64)  # node of each prefix
        before = np.concatenate([[0], starts.sum(axis=0).cumsum()])[:-1]
        at[:, 1:] = starts.cumsum(axis=0) + before
        self.parent = np.concatenate([[0], at[row, depth]])
        self.label = np.concatenate([[0], table[row, depth]])
        children = np.bincount(self.parent[1:], minlength=len(self.parent))
        self.first_child = 1 + np.concatenate([[0], children.cumsum()])
        self.string = np.full(len(self.parent), -1, np.int64)
        self.string[at[np.arange(len(strings)), lengths]] = np.arange(len(strings))
        self._doubled = self.label == self.label[self.parent]  # needs a blank before it

    def search(self, frames: Probabilities) -> tuple[Indices, Probabilities]:
        """Find the strings that the frames may spell.

        Args:
            frames: (T, classes) probabilities.

        Returns:
            numbers of strings and their probabilities up to a common factor, in no order.
        """
        whole = len(self.parent) <= WHOLE_TREE_NODES
        nodes, p = self._search_whole(frames) if whole else self._search_beam(frames)
        ends = self.string[nodes] >= 0
        return self.string[nodes[ends]], p[ends]

    def _search_whole(self, frames: Probabilities) -> tuple[Indices, Probabilities]:
        """Pass the frames through all nodes."""
        p_blank = np.zeros(len(self.parent))
        p_char = np.zeros(len(self.parent))
        p_blank[0] = 1.0
        for frame in frames:
            total = p_blank + p_char
            start = np.where(self._doubled, p_blank[self.parent], total[self.parent])
            start[0] = 0.0
            p_char = (p_char + start) * frame[self.label]
            p_blank = total * frame[0]
            scale = 1.0 / max((p_blank + p_char).max(), np.finfo(float).tiny)
            p_char *= scale
            p_blank *= scale
        return np.arange(len(self.parent)), p_blank + p_char

    def _search_beam(self, frames: Probabilities) -> tuple[Indices, Probabilities]:
        """Pass the frames through the most probable nodes."""
        place = np.full(len(self.parent), -1)  # of a node among the living
        nodes = np.zeros(1, np.int64)
        p_blank, p_char = np.ones(1), np.zeros(1)
        for frame in frames:
            place[nodes] = np.arange(len(nodes))
            ended, total = p_blank, p_blank + p_char
            # What lives on: a blank, its character again, or its character for the first time.
            above = place[self.parent[nodes]]
            start = np.where(self._doubled[nodes], ended[above], total[above])
            start[(above < 0) | (nodes == 0)] = 0.0
            p_char = (p_char + start) * frame[self.label[nodes]]
            p_blank = total * frame[0]
            # What is born must beat the worst of a full beam that stays as it is.
            stay = p_blank + p_char
            bar = max(BEAM_RATIO * stay.max(), stay.min() if len(stay) == BEAM_NODES else 0.0)
            fertile = np.flatnonzero(total * frame[1:].max() > bar)
            owner, child = self._children(nodes[fertile])
            owner = fertile[owner]
            start = np.where(self._doubled[child], ended[owner], total[owner])
            start *= frame[self.label[child]]
            born = (start > bar) & (place[child] < 0)
            place[nodes] = -1
            nodes = np.concatenate([nodes, child[born]])
            p_blank = np.concatenate([p_blank, np.zeros(len(nodes) - len(p_blank))])
            p_char = np.concatenate([p_char, start[born]])
            total = p_blank + p_char
            kept = np.flatnonzero(total >= bar)
            if len(kept) > BEAM_NODES:
                kept = kept[np.argpartition(-total[kept], BEAM_NODES)[:BEAM_NODES]]
            scale = 1.0 / max(total.max(), np.finfo(float).tiny)
            nodes, p_blank, p_char = nodes[kept], p_blank[kept] * scale, p_char[kept] * scale
        return nodes, p_blank + p_char

    def _children(self, nodes: Indices) -> tuple[Indices, Indices]:
        """All children of some nodes: position of each one's parent in ``nodes``, and node."""
        first = self.first_child[nodes]
        count = self.first_child[nodes + 1] - first
        owner = np.repeat(np.arange(len(nodes)), count)
        skipped = np.repeat(first - (count.cumsum() - count), count)
        return owner, np.arange(len(owner)) + skipped
