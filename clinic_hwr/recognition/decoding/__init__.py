"""From class probabilities to strings: best path, prefix beam, lexicon ranking."""
