"""The REST API of review: everything its pages do, through the same services."""
