"""A lease row for every scan in review, and the full-text index."""

import datetime
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def leases_make(apps, schema_editor):
    """Give every scan that waits for a person its lease row, free."""
    lease = apps.get_model("clinic_review", "ReviewLease")
    scans = apps.get_model("clinic_intake", "Scan").objects
    waiting = scans.filter(state__in=("in_review", "verified"), lease__isnull=True)
    lease.objects.bulk_create(
        (lease(scan_id=each) for each in waiting.values_list("pk", flat=True).iterator()),
        batch_size=1000,
        ignore_conflicts=True,
    )


def index_make(apps, schema_editor):
    """Make what the database searches with; ``search_reindex`` fills it."""
    for statement in INDEX_SQL.get(schema_editor.connection.vendor, ()):
        schema_editor.execute(statement)


def index_drop(apps, schema_editor):
    """Remove it; the column of PostgreSQL goes with its table."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE IF EXISTS clinic_review_search_fts")


INDEX_SQL = {
    "postgresql": (
        "ALTER TABLE clinic_review_searchdocument ADD COLUMN words tsvector",
        "CREATE INDEX search_words ON clinic_review_searchdocument USING gin (words)",
    ),
    # prefixes of two to four characters are what people type first
    "sqlite": (
        "CREATE VIRTUAL TABLE clinic_review_search_fts USING fts5("
        "patient, drug, prescriber, page, prefix='2 3 4', tokenize='unicode61')",
    ),
}


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_accounts', '0001_initial'),
        ('clinic_intake', '0004_queue_indexes'),
        ('clinic_review', '0003_double_entry_clarify_keys'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='prescriptionrecord',
            name='retracted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='prescriptionrecord',
            name='search_sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='reviewlease',
            name='active_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='reviewlease',
            name='expires_at',
            field=models.DateTimeField(default=datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
        ),
        migrations.AlterField(
            model_name='reviewlease',
            name='holder',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='SearchDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('patient', models.TextField(blank=True)),
                ('drug', models.TextField(blank=True)),
                ('prescriber', models.TextField(blank=True)),
                ('page', models.TextField(blank=True)),
                ('lines', models.JSONField(default=list)),
                ('scan', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='search_document', to='clinic_intake.scan')),
                ('site', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic_accounts.site')),
            ],
            options={
                'indexes': [models.Index(fields=['site', '-id'], name='search_site_newest')],
            },
        ),
        migrations.RunPython(leases_make, migrations.RunPython.noop),
        migrations.RunPython(index_make, index_drop),
    ]
