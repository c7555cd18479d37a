"""French words of directions, laid over the English table where the paper is French.

Written for this project from common usage of French prescribers. Phrases are lower case, without
accents, in atoms separated by blanks; kinds and values are those of ``vocabulary``.
"""

from __future__ import annotations

from decimal import Decimal

Row = tuple[str, object, str]

_NUMBERS = "un une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze"

_REASONS = {
    "pain": "douleur|douleurs|douleur intense|douleurs intenses|mal",
    "fever": "fievre|temperature", "nausea": "nausee|nausees",
    "vomiting": "vomissement|vomissements", "cough": "toux", "insomnia": "insomnie|insomnies",
    "anxiety": "anxiete|angoisse|angoisses", "diarrhea": "diarrhee|diarrhees",
    "constipation": "constipation", "itching": "demangeaison|demangeaisons|prurit",
    "headache": "cephalee|cephalees|maux de tete|mal de tete", "migraine": "migraine|migraines",
    "spasms": "spasme|spasmes", "heartburn": "brulure|brulures|brulures d ' estomac",
    "wheezing": "sifflement|sifflements|gene respiratoire", "asthma attack": "crise d ' asthme",
    "attack": "crise|crises", "allergy": "allergie|allergies",
    "shortness of breath": "essoufflement|dyspnee", "acidity": "acidite",
    "agitation": "agitation", "dizziness": "vertige|vertiges",
}  # fmt: skip

_INSTRUCTIONS = {
    "on an empty stomach": "a jeun",
    "as directed": "selon prescription|comme indique|selon les indications|suivant les indications",
    "with water": "avec un verre d ' eau|avec un grand verre d ' eau|avec de l ' eau",
    "in water": "dans un verre d ' eau|dans un peu d ' eau|dans de l ' eau|"
    "a dissoudre dans un verre d ' eau",
    "between meals": "entre les repas|en dehors des repas|a distance des repas",
    "sparingly": "en couche mince|en fine couche|couche mince",
}

_SITES = {
    "right eye": "oeil droit|dans l ' oeil droit|od|o d|a l ' oeil droit",
    "left eye": "oeil gauche|dans l ' oeil gauche|og|o g|a l ' oeil gauche",
    "both eyes": "odg|dans chaque oeil|dans les deux yeux|dans les 2 yeux|chaque oeil|"
    "les deux yeux|deux yeux|2 yeux|yeux",
    "right ear": "oreille droite|dans l ' oreille droite",
    "left ear": "oreille gauche|dans l ' oreille gauche",
    "both ears": "dans chaque oreille|dans les deux oreilles|dans les 2 oreilles|chaque oreille",
    "right nostril": "narine droite|dans la narine droite",
    "left nostril": "narine gauche|dans la narine gauche",
    "each nostril": "dans chaque narine|chaque narine|par narine|dans les deux narines|"
    "dans les 2 narines",
    "affected area": "zone atteinte|zones atteintes|sur la zone atteinte|sur les zones atteintes|"
    "sur les lesions|sur la lesion|sur la zone a traiter|sur les zones a traiter",
    "face": "visage|sur le visage|sur visage",
    "scalp": "cuir chevelu|sur le cuir chevelu",
}

_ROUTES = {
    "26643006": "par voie orale|voie orale|per os|par la bouche|par os",
    "34206005": "sous cutane|sous cutanee|sous - cutane|sous - cutanee|en sous cutane|"
    "par voie sous cutanee|par voie sous - cutanee|en sc|s / c|en sous - cutane",
    "78421000": "intramusculaire|en intramusculaire|par voie intramusculaire|en im|"
    "intra - musculaire|voie intramusculaire",
    "47625008": "intraveineux|intraveineuse|en intraveineux|par voie intraveineuse|en iv",
    "37839007": "sous la langue|sublingual|sublinguale|par voie sublinguale|voie sublinguale",
    "37161004": "par voie rectale|voie rectale|intra - rectal|dans le rectum",
    "16857009": "par voie vaginale|voie vaginale|dans le vagin",
    "447694001": "en inhalation|par inhalation|voie inhalee|par voie inhalee",
    "46713006": "par voie nasale|voie nasale|dans le nez",
}

_FORMS = {
    "{tablet}": "cp|cps|cpr|cpes|comp|comps|comprime|comprimes|cachet|cachets",
    "{capsule}": "gelule|gelules|gel|gels|gell|capsule|capsules|caps",
    "[drp]": "goutte|gouttes|gtte|gttes|gte|gtes",
    "{puff}": "bouffee|bouffees|inhalation|inhalations|bouf",
    "{spray}": "pulverisation|pulverisations|pulv|spray|sprays",
    "{packet}": "sachet|sachets|sach",
    "{ampule}": "ampoule|ampoules|amp",
    "{suppository}": "suppositoire|suppositoires|suppo|suppos",
    "{pessary}": "ovule|ovules",
    "{patch}": "patch|patchs|patches|timbre|timbres",
    "{application}": "application|applications",
    "{injection}": "injection|injections|inj|piqure|piqures",
    "{lozenge}": "pastille|pastilles",
    "[iU]": "unite|unites|ui",
}

_MOMENTS = {
    ("MORN",): "matin|le matin|au matin|chaque matin|tous les matins|du matin|les matins",
    ("NOON",): "midi|le midi|a midi|chaque midi|tous les midis",
    ("AFT",): "apres - midi|l ' apres - midi|apres midi|l ' apres midi",
    ("EVE",): "soir|le soir|au soir|chaque soir|tous les soirs|du soir|les soirs|en soiree",
    ("NIGHT",): "la nuit|nuit",
    ("HS",): "au coucher|le soir au coucher|au moment du coucher|coucher|soir au coucher|"
    "le soir avant le coucher|avant de dormir",
    ("WAKE",): "au lever|au reveil|le matin au reveil|le matin au lever",
    ("C",): "pendant les repas|au moment des repas|au cours des repas|aux repas|en mangeant|"
    "avec les repas|avec repas|pendant le repas|au cours du repas|au milieu des repas",
    ("CM",): "au petit - dejeuner|au petit dejeuner|pendant le petit dejeuner|au petit dej",
    ("CD",): "au dejeuner|pendant le dejeuner", ("CV",): "au diner|pendant le diner|au souper",
}  # fmt: skip
_BEFORE_AFTER = {
    ("AC",): "avant les repas|avant repas|avant le repas|avant chaque repas",
    ("PC",): "apres les repas|apres repas|apres le repas|apres chaque repas",
    ("ACM",): "avant le petit - dejeuner|avant le petit dejeuner|avant petit dejeuner",
    ("PCM",): "apres le petit - dejeuner|apres le petit dejeuner",
    ("ACD",): "avant le dejeuner", ("PCD",): "apres le dejeuner",
    ("ACV",): "avant le diner|avant le souper", ("PCV",): "apres le diner|apres le souper",
    ("HS",): "avant le coucher",
}  # fmt: skip

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_DAY_CODES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

SURE_WORDS = frozenset(
    str.split(
        "matin soir midi jour jours fois besoin pendant pdt comprime comprimes gelule gelules "
        "goutte gouttes bouffee bouffees sachet cuillere semaine semaines mois repas douleur "
        "douleurs puis toutes heures coucher jeun"
    )
)
"""Words that are French and nothing else in directions (without accents)."""

ENGLISH_WORDS = frozenset(
    str.split(
        "take every evry each tab tabs tablet tablets cap caps pill pills daily day days hour "
        "hours hrs week weeks month months for by mouth with needed apply inject inhale instill "
        "at and then until morning night bedtime evening food meals times once twice drop drops "
        "puff puffs as of the to in on bid tid qid bd tds qds prn qd od"
    )
)
"""Words that do not stand in French directions."""


def french_rows() -> list[Row]:
    """Return (kind, value, written forms) of every French phrase."""
    rows: list[Row] = []
    for number, words in enumerate(_NUMBERS.split("|"), start=1):
        rows.extend(("NUM", Decimal(number), word) for word in words.split())
    rows += [
        ("HALF", Decimal("0.5"), "demi|demie|un demi|une demie|1 demi|la moitie d ' un"),
        ("HALF", Decimal("0.25"), "quart|un quart"),
        ("TO", None, "a|\u2013|\u2014"),
        ("AT", None, "vers"),
        ("AND", None, "et|&|+"),
        ("OR", None, "ou"),
        ("PER", None, "/|par"),
        ("TIMES", None, "fois"),
        ("ONEOF", None, "sur"),
        ("EVERY", None, "toutes les|tous les|ttes les|tts les|tte les|chaque|ts les"),
        ("OTHER", None, "un sur deux"),
        ("FREQ", (1, Decimal(2), "d"), "un jour sur deux|un jour / deux"),
        ("FREQ", (1, Decimal(1), "d"), "quotidien|quotidiennement"),
        ("ADV", (1, Decimal(1), "wk"), "hebdomadaire"),
        ("FOR", None, "pendant|pdt|durant|pour|qsp|pour une duree de|pendt"),
        ("PRN", None, "si besoin|si necessaire|au besoin|a la demande|si nec|en cas de besoin"),
        ("PRNIF", None, "si|en cas de|en cas d '"),
        ("MAX", None, "max|maximum|maxi|sans depasser|ne pas depasser|au maximum|au max|"
                      "sans depasser plus de|ne pas depasser plus de|jusqu ' a"),
        ("THEN", None, "puis|ensuite|et puis|, puis"),
        ("COUNT", 1, "en une seule prise|dose unique|en dose unique|en une prise|"
                     "une seule fois|prise unique|en prise unique|1 seule fois"),
        ("NOISE", None, "prendre|prenez|appliquer|mettre|instiller|injecter|faire|avaler|le|la|"
                        "les|du|des|de|d '|l '|en|au|aux|matin :|prise de|a prendre|posologie"),
        ("PERIOD", "d", "jour|jours|j|jrs"),
        ("PERIOD", "wk", "semaine|semaines|sem|sems"),
        ("PERIOD", "mo", "mois"),
        ("PERIOD", "a", "an|ans"),
        ("PERIOD", "h", "heure|heures|h|hrs"),
        ("PERIOD", "min", "minute|minutes|mn|min"),
        ("MEASURE", Decimal(5), "cuillere a cafe|cuilleres a cafe|c a c|cac|cuill a cafe|"
                                "c . a c|cuilleree a cafe|c . a . c"),
        ("MEASURE", Decimal(15), "cuillere a soupe|cuilleres a soupe|c a s|cas|cuill a soupe|"
                                 "c . a s|cuilleree a soupe|c . a . s"),
        ("HARD", None, "sauf|sans|ne|pas|jamais|arret|arreter|stop|diminuer|augmenter|dose"),
    ]  # fmt: skip
    for kind, table in (
        ("REASON", _REASONS), ("ADD", _INSTRUCTIONS), ("SITE", _SITES), ("ROUTE", _ROUTES),
        ("FORM", _FORMS), ("WHEN", _MOMENTS), ("REL", _BEFORE_AFTER),
    ):  # fmt: skip
        rows.extend((kind, value, written) for value, written in table.items())
    for code, day in zip(_DAY_CODES, _DAYS, strict=True):
        rows.append(("DAY", code, f"{day}|{day}s|le {day}|les {day}s|chaque {day}"))
    return rows
