"""Words and phrases of directions, each with its token type and value.

English, the Latin abbreviations of US, UK and Indian prescriptions. A phrase is written as blank
separated atoms (letters, or one other character), lower case, without dots.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from clinic_hwr.prescriptions.numbers import TENS_WORDS, UNITS_WORDS
from clinic_hwr.prescriptions.routes import ROUTE_WRITTEN, SITE_PREPOSITIONS, SITE_WRITTEN
from clinic_hwr.prescriptions.sig.french import french_rows
from clinic_hwr.prescriptions.sig.wording import INSTRUCTIONS, REASONS
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
                     "applicator|applicatorful|applicatorfuls|applicators|"
                     "applicator full|applicators full"),
    "{lozenge}": ("lozenge", "lozenges", "loz|lozenge|lozenges|troche|troches"),
    "{packet}": ("packet", "packets", "packet|packets|sachet|sachets|pkt|pkts|powder packet"),
    "{pessary}": ("pessary", "pessaries", "pess|pessary|pessaries|vaginal tablet|vaginal tablets"),
    "{injection}": ("injection", "injections", "injection|injections|inj"),
    "{dose}": ("dose", "doses", ""),
    "{capful}": ("capful", "capfuls", "capful|capfuls"),
    "{scoop}": ("scoop", "scoops", "scoop|scoops|scoopful|scoopfuls"),
    "{piece}": ("piece", "pieces", "piece|pieces"),
    "{syringe}": ("syringe", "syringes", "syringe|syringes|prefilled syringe"),
    "{pen}": ("pen", "pens", "pen|pens"),
    "{nebule}": ("nebule", "nebules", "neb|nebs|nebule|nebules|respule|respules"),
    "{bottle}": ("bottle", "bottles", "bottle|bottles"),
    "{ring}": ("ring", "rings", "ring|rings"),
    "{film}": ("film", "films", "film|films"),
    "{ampule}": ("ampule", "ampules", "amp|amps|ampoule|ampoules|ampule|ampules"),
    "{vial}": ("vial", "vials", "vial|vials"),
    "{enema}": ("enema", "enemas", "enema|enemas"),
    "[tsp_us]": ("teaspoon", "teaspoons", "tsp|tsps|teaspoon|teaspoons|"
                 "teaspoonful|teaspoonfuls|tsf|tea spoon|tea spoons|tea spoonful|tea spoonfuls"),
    "[tbs_us]": ("tablespoon", "tablespoons",
                 "tbsp|tbsps|tablespoon|tablespoons|tablespoonful|tablespoonfuls|"
                 "table spoon|table spoons|table spoonful|table spoonfuls"),
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

NOISE = frozenset(
    str.split(
        "take takes taken give given use used apply applied inject instill instil insert "
        "inhale put place administer drink the of sig please next course inject directions "
        "infuse"
    )
)
"""Words that add nothing to the structure; anything else that is not placed is left over."""

NOISE_MARKS = frozenset(".,;:()*'\"")

HARD_WORDS = frozenset(
    str.split(
        "hold if unless until till when not no avoid stop call see but or without never "
        "only except starting start from skip increase decrease reduce titrate taper "
        "repeat may over divided div while before after with on in at to dont don per via "
        "each alternating plus minus refill refills dispense disp qty through thru total"
    )
)
"""Words that never belong to a reason: they change what the directions mean."""


_ROUTE_ADJECTIVES = {
    "oral": "26643006", "sublingual": "37839007", "buccal": "54471007", "rectal": "37161004",
    "vaginal": "16857009", "intravenous": "47625008", "intramuscular": "78421000",
    "subcutaneous": "34206005", "nasal": "46713006", "intranasal": "46713006",
    "ophthalmic": "54485002", "otic": "10547007", "topical": "6064005",
    "transdermal": "45890007", "inhalation": "447694001", "inhaled": "447694001",
    "nasogastric": "127492001",
}  # fmt: skip


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
    add("HUNDRED", None, "hundred")
    add("A", None, "a|an")
    add("TO", None, "to|\u2013|\u2014|through|thru")
    add("PLUS", None, "plus")
    add("TOTAL", None, "total|in total|total dose")
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
    add("ADV", (1, Decimal(1), "d"), "daily|everyday|die|in die|per diem")
    add("ADV", (1, Decimal(1), "wk"), "weekly")
    add("ADV", (1, Decimal(2), "wk"), "fortnightly|every fortnight")
    add("ADV", (1, Decimal(1), "mo"), "monthly")
    add("ORD", Decimal(2), "second|2 nd")
    add("ORD", Decimal(3), "third|3 rd")
    add("ORD", Decimal(4), "fourth|4 th")
    add("ORD", Decimal(6), "sixth|6 th")
    add("NTIMES", 1, "once|one time")
    add("NTIMES", 2, "twice|two times")
    add("NTIMES", 3, "thrice|three times")
    add("NTIMES", 4, "four times")
    add("FREQ", (1, Decimal(1), "d"), "qd|omni die|semel in die|quotidie|quaque die")
    add("FREQ", (2, Decimal(1), "d"), "bid|bd|b d|b / d|bds|bis in die|b i d")
    add("FREQ", (3, Decimal(1), "d"), "tid|tds|td s|t d s|ter in die|t i d|ter die sumendum|tid s")
    add("FREQ", (4, Decimal(1), "d"), "qid|qds|q d s|q i d|quater in die|quater die sumendum")
    add(
        "FREQ",
        (1, Decimal(2), "d"),
        "qod|eod|q o d|on alternate days|alternate days|alternate day|every alternate day|"
        "on alternate day|alternating days|on alternating days|alternis diebus|alt days|alt die|"
        "every second day|every 2 nd day",
    )
    add("FREQ", (1, Decimal(1), "h"), "qh|quaque hora|every hour")
    add("FREQ", (1, Decimal(1), "wk"), "qwk|qw")
    add("FREQ", (2, Decimal(1), "wk"), "biw")
    add("FREQ", (3, Decimal(1), "wk"), "tiw")
    add("FREQ", (1, Decimal(2), "wk"), "qowk|every other week|eow|alternate weeks")
    add("FREQ", (1, Decimal(1), "mo"), "qmo|q month")
    add(
        "COUNT", 1, "stat|single dose|a single dose|as a single dose|one dose|at once|one time only"
    )
    add("COUNT", 1, "as single dose|once only|now|statim|immediately as a single dose")
    add("DOSES", None, "dose|doses|cycle|cycles")
    add("PRN", None, "prn|as needed|as required|if needed|if required|when needed|when required")
    add(
        "PRN",
        None,
        "sos|as necessary|if necessary|whenever needed|as need|ad lib|pro re nata|"
        "if and when needed|"
        "when necessary|only if needed|only as needed|as needed only|si opus sit|where required",
    )
    for reason in REASONS.split("|"):
        add("REASON", reason.replace(" / ", "/"), reason)
    add("FOR", None, "for")
    add("MAX", None, "max|maximum|max dose|maximum dose|maximum of|max of|not more than")
    add("MAX", None, "no more than|do not exceed|not to exceed|nte|to a maximum of|not exceed")
    add("MAX", None, "do not exceed more than|do not take more than|up to a maximum of")
    add(
        "MAX",
        None,
        "to a max of|up to a max of|up to max|up to a max|to a max|maximum of up to|"
        "to maximum of|not more|to max of|do not take more than|up to a maximum|max total|"
        "maximum total of|not to exceed more than|never more than",
    )
    add(
        "MDD", None, "mdd|max daily dose|maximum daily dose|maximum daily dose of|max daily dose of"
    )
    add("UPTO", None, "up to|upto")
    add("IN", None, "in|within")
    add("AT", None, "at|@")
    add("ON", None, "on")
    add(
        "THEN",
        None,
        "then|followed by|and then|thereafter|there after|and thereafter|then take|after that",
    )
    add("EQ", None, "=")
    add("LPAR", None, "(")
    add("RPAR", None, ")")
    add("SPOON", None, "spoon|spoons|spoonful|spoonfuls")
    add(
        "NOISE",
        None,
        "to be taken|to be used|to be applied|to be given|to be inhaled|to be put|"
        "to be instilled|to be inserted|to be sucked|to be injected|to be chewed|be taken|"
        "s :|to be dissolved|to take|to use|to apply|please take|be applied|be given|be used",
    )
    # The product itself, named again: it adds nothing to how it is taken.
    add(
        "NOISE",
        None,
        "syp|syrup|syr|susp|suspension|elixir|cream|ointment|oint|ung|lotion|"
        "nasal drops|nasal spray|ophthalmic solution|inhaler|shampoo|foam|mouthwash",
    )
    for unit, (_, _, written) in DOSE_UNITS.items():
        add("FORM", unit, written)
    for suffix, names in _MEALS.items():
        if suffix:
            add("MEAL", suffix, names)
    for written, unit in UCUM.items():
        if unit not in {"[iU]", "%", "[gr]", "kg", "L", "ng"}:
            add("UNIT", unit, written)
    add("KG", "kg", "kg")
    add("KG", "m2", "m2|m 2|m\u00b2")
    for phrase, code in ROUTE_WRITTEN.items():
        add("ROUTE", code, " ".join(phrase.replace("/", " / ").split()))
    for adjective, code in _ROUTE_ADJECTIVES.items():
        for lead in ("by ", "via ", "by the ", "via the ", "per ", ""):
            add("ROUTE", code, f"{lead}{adjective} route|{lead}{adjective} route of administration")
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
        if _phrase(phrase) not in table:  # "prn knee pain": there it is a reason
            add("SITE", site, phrase)
        for preposition in SITE_PREPOSITIONS:
            if phrase.split()[0] not in {"re", "le", "be", "ad", "os"}:
                add("SITE", site, f"{preposition} {phrase}")
    for day, full in DAYS.items():
        add("DAY", day, f"{day}|{full.lower()}|{full.lower()}s")
        add("DAY", day, f"every {full.lower()}|each {full.lower()}|on {full.lower()}s")
    add("DAY", "tue", "tues")
    add("DAY", "thu", "thur|thurs")
    add(
        "MWF",
        ("mon", "wed", "fri"),
        "mwf|m w f|m / w / f|m , w , f|m , w and f|m , w , and f|m , w & f|m - w - f|"
        "m w & f|m w and f",
    )
    add(
        "MWF",
        ("mon", "tue", "wed", "thu", "fri"),
        "m - f|m to f|weekdays|on weekdays|every weekday|on weekdays only",
    )
    for text, written in INSTRUCTIONS.items():
        add("ADD", text, written)
    _add_moments(add)
    return table


def _add_moments(put: Callable[[str, Value, str], None]) -> None:
    """Moments of the day: "qam", "at bedtime", and before/after/with each meal."""
    put(
        "WHEN",
        ("MORN",),
        "qam|q am|every morning|each morning|in the morning|in morning|mane|omni mane|"
        "in the mornings",
    )
    put("WHEN", ("MORN",), "morning|mornings|om|in am|in the am|every am|am")
    put("WHEN", ("NOON",), "at noon|noon|q noon|qnoon|@ noon|midday|at midday|at mid day")
    put("WHEN", ("AFT",), "in the afternoon|afternoon|every afternoon|each afternoon")
    put("WHEN", ("EVE",), "qpm|q pm|every evening|each evening|in the evening|evening|in evening")
    put("WHEN", ("EVE",), "evenings|in the pm|in pm|every pm")
    put("PM", ("EVE",), "pm")
    put(
        "WHEN",
        ("NIGHT",),
        "at night|night|nightly|every night|each night|nocte|nights|qn|at nights",
    )
    put("WHEN", ("NIGHT",), "night time|at night time|nighttime|at nighttime|noct")
    put(
        "WHEN",
        ("HS",),
        "qhs|hs|at bedtime|@ hs|@ bedtime|bedtime|at bed time|bed time|hora somni|at hs",
    )
    put(
        "REL",
        ("HS",),
        "before bed|before bedtime|before sleep|before sleeping|before bed time|"
        "prior to bed|prior to bedtime|before going to bed",
    )
    put(
        "WHEN",
        ("HS",),
        "q hs|every bedtime|nightly at bedtime|every night at bedtime|at night at bedtime|"
        "nightly before bed|each night at bedtime|at night before bed|"
        "every evening at bedtime|in the evening at bedtime|nightly at hs|at night at hs",
    )
    put("WHEN", ("WAKE",), "on waking|upon awakening|upon rising|on awakening|upon waking")
    put("WHEN", ("AC", "HS"), "achs|ac & hs|ac and hs|ac hs|before meals and at bedtime")
    put("WHEN", ("PC", "HS"), "pc & hs|pc and hs|pc hs")
    for suffix, names in _MEALS.items():
        for name in names.split("|"):
            put("REL", ("AC" + suffix,), f"before {name}|before each {name}|ac {name}|ante {name}")
            put("REL", ("PC" + suffix,), f"after {name}|after each {name}|pc {name}")
            put("WHEN", ("C" + suffix,), f"with {name}|with each {name}|c {name}|w / {name}")
            put("WHEN", ("C" + suffix,), f"w {name}")
    put("REL", ("AC",), "ac|a / c|b / f|before food")
    put("REL", ("PC",), "pc|p / c|a / f|after food")
    put("REL", ("AC",), "ante cibum|ante cibos|qac|prior to meals|before food or meals")
    put("REL", ("PC",), "post cibum|post cibos|qpc")
    put("REL", ("ACM",), "bbf|b b f|before b / f|before bf")
    put("REL", ("PCM",), "abf|a b f|after b / f|after bf")
    put(
        "WHEN",
        ("C",),
        "wf|with food or milk|with meals or food|c food|during meals|with a meal|"
        "during food|with milk or food|w / food|with or after food|with or just after food|"
        "with food or after meals|with or after meals|at mealtimes|at mealtime|mealtimes|"
        "at meal times|at meals",
    )
    put("WHEN", ("NIGHT",), "omni nocte|noct|nocturnal|in the night|in the nights")


_MEALS = {
    "": "meals|food|meal|eating|foods", "M": "breakfast|bkfst|breakfasts|brkfst|bfast|b / fast",
    "D": "lunch|lunches", "V": "dinner|supper|evening meal|tea|dinners",
}  # fmt: skip
"""Suffix of the FHIR event code -> names of the meal."""


def _french() -> dict[Phrase, tuple[str, Value]]:
    """Return the English table with the French phrases over it."""
    table = dict(PHRASES)
    for kind, value, written in french_rows():
        for text in written.split("|"):
            table[_phrase(text)] = (kind, value)
    return table


PHRASES = _build()
"""Phrase -> (token type, value)."""

FRENCH_PHRASES = _french()
"""The same for directions in French."""

LONGEST_PHRASE = max(len(phrase) for phrase in FRENCH_PHRASES)
