"""Full-text search over what was read: words, and the two databases that look them up."""
