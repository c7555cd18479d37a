"""Routes of administration and body sites, with SNOMED CT codes that are certain."""

from __future__ import annotations

from clinic_hwr.prescriptions.types import Coded

SNOMED = "http://snomed.info/sct"

_ROUTES: tuple[tuple[str, str, str, str], ...] = (
    # code, display, plain English, written forms (each a phrase, "|" between)
    ("26643006", "Oral route", "by mouth", "po|per os|by mouth|orally|oral|per oral|p o|swallow|"
     "by oral route|oral route|via oral route|through mouth|through the mouth"),
    (
        "37839007",
        "Sublingual route",
        "under the tongue",
        "sl|sublingual|sublingually|under tongue|subling|s/l",
    ),
    ("54471007", "Buccal route", "in the cheek", "buccal|buccally|bucc|in cheek"),
    ("37161004", "Rectal route", "rectally",
     "pr|per rectum|rectal|rectally|by rectum|p r|into the rectum|into rectum|in the rectum"),
    ("16857009", "Vaginal route", "vaginally",
     "pv|per vagina|vaginal|vaginally|vag|p v|into the vagina|into vagina|in the vagina|"
     "intravaginally|per vaginam"),
    ("47625008", "Intravenous route", "intravenously",
     "iv|intravenous|intravenously|ivp|iv push|i v|into the vein"),
    ("78421000", "Intramuscular route", "into the muscle",
     "im|intramuscular|intramuscularly|into muscle|into the muscle|i m"),
    ("34206005", "Subcutaneous route", "under the skin",
     "sc|sq|subq|sub q|subcut|subcutaneous|subcutaneously|s/c|under skin|sub cut|"
     "s c|sub - q|subcutaneous injection|sub cutaneously"),
    ("46713006", "Nasal route", "into the nose", "nasal|nasally|intranasal|intranasally|into nose"),
    ("54485002", "Ophthalmic route", "into the eye", "ophthalmic|into eye|in eye|to eye"),
    ("10547007", "Otic route", "into the ear", "otic|into ear|in ear|to ear"),
    ("6064005", "Topical route", "on the skin",
     "topical|topically|top|on skin|to skin|to the skin|on the skin|l/a|local application"),
    ("45890007", "Transdermal route", "through the skin", "transdermal|transdermally|through skin"),
    ("447694001", "Respiratory tract route", "by inhalation",
     "inh|inhaled|by inhalation|per inhalation|inhalation route|into lungs|into the lungs|"
     "in the lungs|inhale orally|inhale by mouth"),
    ("127492001", "Nasogastric route", "by nasogastric tube",
     "ngt|ng|via ng tube|per ng tube|by nasogastric tube"),
)  # fmt: skip

ROUTES: dict[str, Coded] = {code: Coded(SNOMED, code, display) for code, display, _, _ in _ROUTES}
"""SNOMED CT code -> route."""

ROUTE_PLAIN: dict[str, str] = {code: plain for code, _, plain, _ in _ROUTES}
ROUTE_WRITTEN: dict[str, str] = {
    phrase: code for code, _, _, written in _ROUTES for phrase in written.split("|")
}

_LATERAL = {
    "right eye": "right eye|re|rt eye|r eye",
    "left eye": "os|left eye|le|lt eye|l eye",
    "both eyes": "ou|both eyes|be|each eye|affected eyes|both eye",
    "affected eye": "affected eye",
    "right ear": "ad|right ear|rt ear|r ear",
    "left ear": "left ear|lt ear|l ear",
    "both ears": "au|both ears|each ear",
    "affected ear": "affected ear",
    "right nostril": "right nostril",
    "left nostril": "left nostril",
    "each nostril": "each nostril|both nostrils|per nares|every nostril",
    "affected area": "aaa|affected area|affected areas|aa|affected site|affected part",
    "left arm": "left arm",
    "right arm": "right arm",
    "scalp": "scalp",
    "face": "face",
    "abdomen": "abdomen",
}
# Parts of the body: of which there is one, and of which there are two.
_SINGLE = (
    "groin", "chest", "back", "lower back", "upper back", "neck", "forehead", "lips",
    "gums", "wound", "rash", "lesions", "scalp", "body", "trunk", "affected joint",
    "affected nail", "affected nails", "painful area", "site of pain", "thigh", "upper arm",
)  # fmt: skip
_PAIRED = {
    "foot": "feet", "hand": "hands", "arm": "arms", "leg": "legs", "knee": "knees",
    "shoulder": "shoulders", "ankle": "ankles", "elbow": "elbows", "wrist": "wrists",
    "hip": "hips", "thigh": "thighs", "upper arm": "upper arms", "heel": "heels",
    "eyelid": "eyelids",
}  # fmt: skip


def _body_sites() -> dict[str, str]:
    sites = {part: part for part in _SINGLE}
    for one, many in _PAIRED.items():
        sites |= {f"left {one}": f"left {one}", f"right {one}": f"right {one}", many: many}
        sites |= {f"both {many}": f"both {many}", f"each {one}": f"both {many}", one: one}
    return sites


SITE_WRITTEN: dict[str, str] = _body_sites() | {
    phrase: site for site, written in _LATERAL.items() for phrase in written.split("|")
}
"""Written phrase -> site in plain words; OD and AS are resolved by context in ``sig.parse``."""

SITE_PREPOSITIONS = (
    "over the",
    "over",
    "to the",
    "to",
    "in the",
    "in",
    "into the",
    "into",
    "on the",
    "on",
)


def site_route(site: str) -> str | None:
    """Return the SNOMED code of the route that an eye, ear or nose site implies, or None."""
    for word, code in (("eye", "54485002"), ("ear", "10547007"), ("nostril", "46713006")):
        if word in site.split() or word + "s" in site.split():
            return code
    return None
