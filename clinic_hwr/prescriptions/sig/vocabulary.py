"""Words and phrases of directions, each with its token type and value.

English, the Latin abbreviations of US, UK and Indian prescriptions. A phrase is written as blank
separated atoms (letters, or one other character), lower case, without dots.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from clinic_hwr.prescriptions.numbers import TENS_WORDS, UNITS_WORDS
from clinic_hwr.prescriptions.routes import ROUTE_WRITTEN, SITE_PREPOSITIONS, SITE_WRITTEN
from clinic_hwr.prescriptions.units import UCUM

Value = object
Phrase = tuple[str, ...]

DOSE_UNITS: dict[str, tuple[str, str, str]] = {
    # UCUM: singular, plural, written
    "{tablet}": ("tablet", "tablets", "tab|tabs|tabl|tablet|tablets|tbl|pill|pills|caplet|caplets"),
    "{capsule}": ("capsule", "capsules", "cap|caps|capsule|capsules"),
    "[drp]": ("drop", "drops", "gtt|gtts|drop|drops"),
    "{puff}": ("puff", "puffs", "puff|puffs|actuation|actuations|inhalation|inhalations"),
    "{spray}": ("spray", "sprays", "spray|sprays|squirt|squirts"),
    "{patch}": ("patch", "patches", "patch|patches"),
    "{suppository}": ("suppository", "suppositories", "supp|suppos|suppository|suppositories"),
    "{application}": ("application", "applications", "application|applications"),
    "{applicator}": ("applicatorful", "applicatorfuls",
                     "applicator|applicatorful|applicatorfuls|applicators"),
    "{lozenge}": ("lozenge", "lozenges", "loz|lozenge|lozenges|troche|troches"),
    "{packet}": ("packet", "packets", "packet|packets|sachet|sachets|pkt"),
    "{film}": ("film", "films", "film|films"),
    "{ampule}": ("ampule", "ampules", "amp|amps|ampoule|ampoules|ampule|ampules"),
    "{vial}": ("vial", "vials", "vial|vials"),
    "{enema}": ("enema", "enemas", "enema|enemas"),
    "[tsp_us]": ("teaspoon", "teaspoons", "tsp|teaspoon|teaspoons|teaspoonful|teaspoonfuls|tsf"),
    "[tbs_us]": ("tablespoon", "tablespoons",
                 "tbsp|tablespoon|tablespoons|tablespoonful|tablespoonfuls"),
    "[iU]": ("unit", "units", "unit|units|u|iu"),
    "mg": ("mg", "mg", ""),
    "ug": ("microgram", "micrograms", ""),
    "g": ("g", "g", ""),
    "mL": ("mL", "mL", ""),
    "meq": ("meq", "meq", ""),
    "mmol": ("mmol", "mmol", ""),
    "mg/kg": ("mg/kg", "mg/kg", ""),
}  # fmt: skip
"""Dose units; those with written forms here are counted, the rest come from ``units.UCUM``."""

PERIODS: dict[str, str] = {
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "\u00b0": "h", "\u00ba": "h",
    "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "d": "d", "day": "d", "days": "d", "dy": "d",
    "wk": "wk", "wks": "wk", "week": "wk", "weeks": "wk", "w": "wk",
    "mo": "mo", "mos": "mo", "mth": "mo", "mths": "mo", "month": "mo", "months": "mo",
    "yr": "a", "yrs": "a", "year": "a", "years": "a",
}  # fmt: skip
PERIOD_WORDS = {"min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month", "a": "year"}

DAYS = {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday",
        "fri": "Friday", "sat": "Saturday", "sun": "Sunday"}  # fmt: skip

WHEN_PLAIN: dict[str, str] = {
    "MORN": "in the morning", "NOON": "at noon", "AFT": "in the afternoon",
    "EVE": "in the evening", "NIGHT": "at night", "HS": "at bedtime", "WAKE": "on waking",
    "AC": "before meals", "PC": "after meals", "C": "with meals",
    "ACM": "before breakfast", "ACD": "before lunch", "ACV": "before dinner",
    "PCM": "after breakfast", "PCD": "after lunch", "PCV": "after dinner",
    "CM": "with breakfast", "CD": "with lunch", "CV": "with dinner",
}  # fmt: skip
"""FHIR event timing code -> plain words, each of which is read back as the code."""

INSTRUCTIONS: dict[str, str] = {
    "as directed": "as directed|ud|ut dict|utd|mdu|use as directed|as advised|as instructed",
    "on an empty stomach": "on an empty stomach|on empty stomach|empty stomach",
    "with water": "with water|with plenty of water|with a full glass of water|with glass of water",
    "sparingly": "sparingly|thinly|thin layer|a thin layer",
    "until finished": "until finished|until gone|till finished|until all taken|until complete",
    "shake well": "shake well|shake well before use|shake before use",
    "swish and swallow": "swish and swallow|s & s",
    "swish and spit": "swish and spit",
    "chew": "chew",
    "dissolve": "dissolve",
    "do not crush": "do not crush",
    "avoid alcohol": "avoid alcohol|no alcohol",
    "immediately": "immediately",
}

REASONS = (
    "pain|fever|nausea|vomiting|n / v|cough|itching|itch|rash|anxiety|insomnia|sleep|wheezing|"
    "wheeze|sob|shortness of breath|headache|ha|migraine|constipation|diarrhea|diarrhoea|"
    "heartburn|spasm|spasms|cramps|cramping|allergies|allergy|congestion|dizziness|agitation|"
    "muscle spasm|muscle spasms|muscle|severe|moderate|mild|chest|back|abdominal|joint|rib|"
    "tooth|breakthrough|menses|temp|temperature|runny nose|sore throat|swelling|infection|"
    "blood pressure|diabetes|reflux|indigestion|acidity|stomach upset|gas|edema|bloating"
)

NOISE = frozenset(
    str.split(
        "take takes taken give given use used apply applied inject instill instil insert "
        "inhale put place administer drink the of sig please next"
    )
)
"""Words that add nothing to the structure; anything else that is not placed is left over."""

NOISE_MARKS = frozenset(".,;:()*'\"")

HARD_WORDS = frozenset(
    str.split(
        "hold if unless until till when not no avoid stop call see but or without never "
        "only except starting start from skip increase decrease reduce titrate taper "
        "repeat may over divided div while before after with on in at to dont don per via "
        "each alternating plus minus refill refills dispense disp qty"
    )
)
"""Words that never belong to a reason: they change what the directions mean."""


def _phrase(text: str) -> Phrase:
    return tuple(text.split())


def _build() -> dict[Phrase, tuple[str, Value]]:
    table: dict[Phrase, tuple[str, Value]] = {}

    def add(kind: str, value: Value, written: str) -> None:
        for text in written.split("|"):
            if text:
                table[_phrase(text)] = (kind, value)

    for word, number in {**UNITS_WORDS, **TENS_WORDS}.items():
        add("NUM", Decimal(number), word)
    add("NUM", Decimal("0.5"), "one half|one - half")
    add("HALF", Decimal("0.5"), "half")
    add("HALF", Decimal("0.25"), "quarter|one quarter")
    add("A", None, "a|an")
    add("TO", None, "to|\u2013|\u2014")
    add("DASH", None, "-")
    add("OR", None, "or")
    add("AND", None, "and|&|+")
    add("X", None, "x|\u00d7")
    add("TIMES", None, "times|time")
    add("PER", None, "/|per")
    add("EVERY", None, "every|each|q|evry")
    add("OTHER", None, "other|alternate|alt")
    for word, period in PERIODS.items():
        add("PERIOD", period, word)
    add("HOURLY", None, "hourly|hrly")
    add("ADV", (1, Decimal(1), "d"), "daily|everyday|die")
    add("ADV", (1, Decimal(1), "wk"), "weekly")
    add("ADV", (1, Decimal(2), "wk"), "fortnightly")
    add("ADV", (1, Decimal(1), "mo"), "monthly")
    add("ORD", Decimal(2), "second|2 nd")
    add("ORD", Decimal(3), "third|3 rd")
    add("ORD", Decimal(4), "fourth|4 th")
    add("ORD", Decimal(6), "sixth|6 th")
    add("NTIMES", 1, "once|one time")
    add("NTIMES", 2, "twice|two times")
    add("NTIMES", 3, "thrice|three times")
    add("NTIMES", 4, "four times")
    add("FREQ", (1, Decimal(1), "d"), "qd|omni die")
    add("FREQ", (2, Decimal(1), "d"), "bid|bd|b d|b / d|bds|bis in die")
    add("FREQ", (3, Decimal(1), "d"), "tid|tds|td s|t d s|ter in die")
    add("FREQ", (4, Decimal(1), "d"), "qid|qds|q d s")
    add("FREQ", (1, Decimal(2), "d"), "qod|eod")
    add("FREQ", (1, Decimal(1), "h"), "qh")
    add("FREQ", (1, Decimal(1), "wk"), "qwk|qw")
    add("FREQ", (2, Decimal(1), "wk"), "biw")
    add("FREQ", (3, Decimal(1), "wk"), "tiw")
    add("FREQ", (1, Decimal(1), "mo"), "qmo")
    add(
        "COUNT", 1, "stat|single dose|a single dose|as a single dose|one dose|at once|one time only"
    )
    add("COUNT", 1, "as single dose|once only|now|statim|immediately as a single dose")
    add("DOSES", None, "dose|doses|cycle|cycles")
    add("PRN", None, "prn|as needed|as required|if needed|if required|when needed|when required")
    add("PRN", None, "sos|as necessary|if necessary|whenever needed|as need|ad lib")
    for reason in REASONS.split("|"):
        add("REASON", reason.replace(" / ", "/"), reason)
    add("FOR", None, "for")
    add("MAX", None, "max|maximum|max dose|maximum dose|maximum of|max of|not more than")
    add("MAX", None, "no more than|do not exceed|not to exceed|nte|to a maximum of|not exceed")
    add("MAX", None, "do not exceed more than|do not take more than|up to a maximum of")
    add("MAX", None, "to a max of|up to a max of")
    add("MDD", None, "mdd|max daily dose|maximum daily dose")
    add("UPTO", None, "up to|upto")
    add("IN", None, "in|within")
    add("AT", None, "at|@")
    add("ON", None, "on")
    add("THEN", None, "then|followed by|and then|thereafter|there after")
    add("EQ", None, "=")
    add("LPAR", None, "(")
    add("RPAR", None, ")")
    add("SPOON", None, "spoon|spoons|spoonful|spoonfuls")
    for unit, (_, _, written) in DOSE_UNITS.items():
        add("FORM", unit, written)
    for written, unit in UCUM.items():
        if unit not in {"[iU]", "%", "[gr]", "kg", "L", "ng"}:
            add("UNIT", unit, written)
    add("KG", "kg", "kg")
    add("KG", "m2", "m2|m 2|m\u00b2")
    for phrase, code in ROUTE_WRITTEN.items():
        add("ROUTE", code, " ".join(phrase.replace("/", " / ").split()))
    for article in ("", "the "):
        for phrase, code in (("tongue", "37839007"), ("skin", "34206005")):
            add("ROUTE", code, f"under {article}{phrase}")
        for phrase, code in (
            ("eye", "54485002"), ("ear", "10547007"), ("nose", "46713006"),
            ("muscle", "78421000"),
        ):  # fmt: skip
            add("ROUTE", code, f"into {article}{phrase}|in {article}{phrase}")
        add("ROUTE", "6064005", f"on {article}skin|to {article}skin")
        add("ROUTE", "45890007", f"through {article}skin")
        add("ROUTE", "54471007", f"in {article}cheek")
    for phrase, site in SITE_WRITTEN.items():
        add("SITE", site, phrase)
        for preposition in SITE_PREPOSITIONS:
            if phrase.split()[0] not in {"re", "le", "be", "ad", "os"}:
                add("SITE", site, f"{preposition} {phrase}")
    for day, full in DAYS.items():
        add("DAY", day, f"{day}|{full.lower()}|{full.lower()}s")
    add("DAY", "tue", "tues")
    add("DAY", "thu", "thur|thurs")
    add("MWF", ("mon", "wed", "fri"), "mwf|m w f|m / w / f")
    for text, written in INSTRUCTIONS.items():
        add("ADD", text, written)
    _add_moments(add)
    return table


def _add_moments(put: Callable[[str, Value, str], None]) -> None:
    """Moments of the day: "qam", "at bedtime", and before/after/with each meal."""
    put("WHEN", ("MORN",), "qam|q am|every morning|each morning|in the morning|in morning|mane")
    put("WHEN", ("MORN",), "morning|mornings|om|in am|in the am|every am|am")
    put("WHEN", ("NOON",), "at noon|noon|q noon|midday|at midday|at mid day")
    put("WHEN", ("AFT",), "in the afternoon|afternoon|every afternoon|each afternoon")
    put("WHEN", ("EVE",), "qpm|q pm|every evening|each evening|in the evening|evening|in evening")
    put("WHEN", ("EVE",), "evenings|in the pm|in pm|every pm|pm")
    put(
        "WHEN",
        ("NIGHT",),
        "at night|night|nightly|every night|each night|nocte|nights|qn|at nights",
    )
    put("WHEN", ("NIGHT",), "night time|at night time|nighttime|at nighttime|noct")
    put("WHEN", ("HS",), "qhs|hs|at bedtime|bedtime|at bed time|before bed|before bedtime|bed time")
    put("WHEN", ("HS",), "q hs|at hs|every bedtime|nightly at bedtime|every night at bedtime")
    put("WHEN", ("WAKE",), "on waking|upon awakening|upon rising|on awakening|upon waking")
    put("WHEN", ("AC", "HS"), "achs|ac & hs|ac and hs|ac hs|before meals and at bedtime")
    put("WHEN", ("PC", "HS"), "pc & hs|pc and hs|pc hs")
    meals = {
        "": "meals|food|meal|eating", "M": "breakfast|bkfst|breakfasts",
        "D": "lunch|lunches", "V": "dinner|supper|evening meal|tea",
    }  # fmt: skip
    for suffix, names in meals.items():
        for name in names.split("|"):
            put("REL", ("AC" + suffix,), f"before {name}|before each {name}|ac {name}|ante {name}")
            put("REL", ("PC" + suffix,), f"after {name}|after each {name}|pc {name}")
            put("WHEN", ("C" + suffix,), f"with {name}|with each {name}|c {name}|w / {name}")
            put("WHEN", ("C" + suffix,), f"w {name}")
    put("REL", ("AC",), "ac|a / c|b / f|before food")
    put("REL", ("PC",), "pc|p / c|a / f|after food")
    put("WHEN", ("C",), "wf|with food or milk")


PHRASES = _build()
"""Phrase -> (token type, value)."""

LONGEST_PHRASE = max(len(phrase) for phrase in PHRASES)
