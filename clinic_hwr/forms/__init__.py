"""Forms that a site teaches the product: clean pages, named regions, versions."""
