"""The pages of the review room; each module is one screen, none holds a rule."""
