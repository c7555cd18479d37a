"""Search by the R4 rules: parameters, conditions, pages, includes, and the Bundle that answers."""
