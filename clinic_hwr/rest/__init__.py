"""What every REST endpoint has in common: problems, idempotent POSTs, ETags, and the schema."""
