"""How FHIR clients say who they are."""

from __future__ import annotations

from rest_framework.authentication import TokenAuthentication


class BearerAuthentication(TokenAuthentication):
    """The installation's token behind the word ``Bearer``, as FHIR client libraries send it."""

    keyword = "Bearer"
