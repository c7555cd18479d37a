"""Indexes for the queues of the inbox: one state in order of arrival, at one site or at all."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_accounts', '0001_initial'),
        ('clinic_intake', '0003_sources_batches_likeness'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='scan',
            name='state',
            field=models.CharField(choices=[('received', 'Received'), ('paged', 'Pages ready'), ('read', 'Read'), ('in_review', 'In review'), ('verified', 'Verified'), ('released', 'Released'), ('delivered', 'Delivered'), ('quarantined', 'Quarantined'), ('rejected', 'Rejected'), ('split', 'Split into prescriptions')], default='received', max_length=20),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(fields=['site', 'state', 'received_at', 'id'], name='scan_queue_of_site'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(fields=['state', 'received_at', 'id'], name='scan_queue'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(fields=['site', 'received_at', 'id'], name='scan_arrivals_of_site'),
        ),
    ]
