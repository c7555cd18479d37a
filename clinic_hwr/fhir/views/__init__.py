"""The FHIR server over HTTP: thin views over the store, the search and the writes."""
