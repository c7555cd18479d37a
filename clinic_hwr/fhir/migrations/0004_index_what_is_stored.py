"""Index the newest version of everything that was released before there was an index."""

import json

from django.db import migrations
from django.db.models import Exists, OuterRef

from clinic_hwr.fhir.indexing import index_rows


def index_stored(apps, schema_editor):
    """Write the search rows of every current version, one resource at a time."""
    model = {
        name: apps.get_model("clinic_fhir", name)
        for name in (
            "ResourceVersion", "Resource", "SearchToken", "SearchReference", "SearchDate",
            "SearchString",
        )
    }
    versions = model["ResourceVersion"].objects
    newer = versions.filter(
        resource_type=OuterRef("resource_type"),
        fhir_id=OuterRef("fhir_id"),
        version__gt=OuterRef("version"),
    )
    for row in versions.filter(~Exists(newer)).order_by("pk").iterator(chunk_size=200):
        resource = model["Resource"].objects.create(
            site_id=row.site_id,
            resource_type=row.resource_type,
            fhir_id=row.fhir_id,
            current=row,
            patient_fhir_id=row.patient_fhir_id,
            last_updated=row.last_updated,
        )
        found = index_rows(json.loads(bytes(row.body)))
        for name, columns, rows in (
            ("SearchToken", ("parameter", "system", "value"), found.tokens),
            ("SearchReference", ("parameter", "target_type", "target_id"), found.references),
            ("SearchDate", ("parameter", "low", "high"), found.dates),
            ("SearchString", ("parameter", "folded", "exact"), found.strings),
        ):
            model[name].objects.bulk_create(
                model[name](resource=resource, **dict(zip(columns, values, strict=True)))
                for values in sorted(rows)
            )


class Migration(migrations.Migration):

    dependencies = [("clinic_fhir", "0003_search_index")]

    operations = [migrations.RunPython(index_stored, migrations.RunPython.noop)]
