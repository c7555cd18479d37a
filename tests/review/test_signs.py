"""What the workstation says of a field besides its value: what named it, strikes, and its form."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_hwr.forms.models import Form, PageForm
from clinic_hwr.pages.types import NamedBy
from clinic_hwr.review.presentation import workstation_payload
from clinic_hwr.review.wording import naming_words
from clinic_hwr.routing.models import Field

from .scripted import ReadScan


@pytest.mark.parametrize("named_by", list(NamedBy))
def test_every_source_of_a_name_is_put_into_words(named_by: NamedBy) -> None:
    words = naming_words(named_by, "")

    assert bool(words) == (named_by != NamedBy.UNSAID)


def test_a_label_is_quoted() -> None:
    assert naming_words("label", "Sig:") == "Named by the print “Sig:” beside it"


def test_the_payload_tells_names_strikes_and_the_form(read: ReadScan, clinician: Any) -> None:
    Field.objects.filter(pk=read["sig"].pk).update(
        named_by="label", label="Sig:", struck_out="wholly"
    )
    form = Form.objects.create(site=read.scan.site, name="Yellow pad")
    version = form.versions.create(number=2, state="active")
    row = PageForm.objects.create(page=read["sig"].page, version=version)

    def shown() -> tuple[str, str, str]:
        payload = workstation_payload(read.scan, clinician)
        field = next(each for each in payload["fields"] if each["id"] == str(read["sig"].pk))
        return field["named"], field["struck_out"], payload["pages"][0]["form"]

    assert shown() == ("Named by the print “Sig:” beside it", "wholly", "Yellow pad version 2")
    PageForm.objects.filter(pk=row.pk).update(refusal="few_inliers")
    assert shown()[2] == ""
