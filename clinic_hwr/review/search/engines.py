"""The full-text index of PostgreSQL (tsvector, GIN) and of SQLite (FTS5) behind one shape.

Both hold the same folded words in four columns and are asked the same question: every word, or the
beginning of one, in one column or in any. Words are letters and digits only, so they can be put
into the query languages of both without anything left to escape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from ..models import SearchDocument
from .words import MIN_PREFIX_CHARS

# Columns in the order of PostgreSQL's weights A, B, C, D.
PARTS = ("patient", "drug", "prescriber", "page")
_WEIGHTS = dict(zip(PARTS, "ABCD", strict=True))
_MAX_POSITION = 16383  # of PostgreSQL; words are found without it, but not by column


class Engine(Protocol):
    """One database's full-text index."""

    def write(self, document: SearchDocument) -> None:
        """Store the words of a saved ``document`` in place of those it had."""

    def find(
        self, documents: QuerySet[SearchDocument], words: Sequence[str], part: str
    ) -> QuerySet[SearchDocument]:
        """Return those ``documents`` that have every word, in column ``part`` or ("") in any."""


class PostgresEngine:
    """A ``tsvector`` column with a GIN index, written word by word: no parser guesses at dates."""

    def write(self, document: SearchDocument) -> None:
        """See ``Engine``."""
        places: dict[str, list[str]] = {}
        position = 0
        for part in PARTS:
            for word in getattr(document, part).split():
                position = min(position + 1, _MAX_POSITION)
                # an entry keeps at most 256 places; the first of each column is enough
                places.setdefault(word, []).append(f"{position}{_WEIGHTS[part]}")
        vector = " ".join(f"'{word}':{','.join(found[:4])}" for word, found in places.items())
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE clinic_review_searchdocument SET words = %s::tsvector WHERE id = %s",
                [vector, document.pk],
            )

    def find(
        self, documents: QuerySet[SearchDocument], words: Sequence[str], part: str
    ) -> QuerySet[SearchDocument]:
        """See ``Engine``."""
        weight = _WEIGHTS.get(part, "")
        terms = [
            f"'{word}':{'*' if len(word) >= MIN_PREFIX_CHARS else ''}{weight}".rstrip(":")
            for word in words
        ]
        condition = RawSQL(
            "clinic_review_searchdocument.words @@ %s::tsquery",
            [" & ".join(terms)],
            output_field=BooleanField(),
        )
        return documents.filter(condition)


class SqliteEngine:
    """An FTS5 table beside the documents, joined by row number."""

    def write(self, document: SearchDocument) -> None:
        """See ``Engine``."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM clinic_review_search_fts WHERE rowid = %s", [document.pk])
            cursor.execute(
                "INSERT INTO clinic_review_search_fts (rowid, patient, drug, prescriber, page) "
                "VALUES (%s, %s, %s, %s, %s)",
                [document.pk, *(getattr(document, part) for part in PARTS)],
            )

    def find(
        self, documents: QuerySet[SearchDocument], words: Sequence[str], part: str
    ) -> QuerySet[SearchDocument]:
        """See ``Engine``."""
        column = f"{part} : " if part in PARTS else ""
        terms = [f'"{word}"{"*" if len(word) >= MIN_PREFIX_CHARS else ""}' for word in words]
        question = " AND ".join(f"{column}{term}" for term in terms)
        condition = RawSQL(
            "clinic_review_searchdocument.id IN (SELECT rowid FROM clinic_review_search_fts "
            "WHERE clinic_review_search_fts MATCH %s)",
            [question],
            output_field=BooleanField(),
        )
        return documents.filter(condition)


_ENGINES: dict[str, type[Engine]] = {"postgresql": PostgresEngine, "sqlite": SqliteEngine}


def engine() -> Engine:
    """Return the index of the database in use.

    Raises:
        ImproperlyConfigured: this kind of database has none.
    """
    try:
        return _ENGINES[connection.vendor]()
    except KeyError:
        known = ", ".join(_ENGINES)
        raise ImproperlyConfigured(
            f"There is no search on {connection.vendor}; use one of {known}."
        ) from None
