"""Fixed wording of directions: reasons for taking a drug, and further instructions.

Reasons decide nothing but the text of "as needed for ..."; instructions are kept as they are here.
Both lists only have to be long: a word that is missing is reported, never dropped.
"""

from __future__ import annotations

REASONS = (
    "pain|pains|fever|nausea|vomiting|n / v|nausea / vomiting|cough|itching|itch|itchiness|rash|"
    "rashes|hives|anxiety|panic|panic attack|panic attacks|insomnia|sleep|sleeplessness|wheezing|"
    "wheeze|sob|shortness of breath|difficulty breathing|breathlessness|dyspnea|dyspnoea|"
    "headache|headaches|ha|migraine|migraines|constipation|diarrhea|diarrhoea|loose stools|"
    "heartburn|spasm|spasms|cramp|cramps|cramping|allergies|allergy|allergic reaction|"
    "allergic reactions|anaphylaxis|congestion|dizziness|vertigo|agitation|muscle spasm|"
    "muscle spasms|muscle|severe|moderate|mild|chest|back|abdominal|stomach|joint|rib|neck|knee|"
    "shoulder|foot|leg|hip|tooth|nerve|bladder|breakthrough|menses|menstrual|period pain|temp|"
    "temperature|runny nose|sore throat|throat|swelling|inflammation|infection|infections|uti|"
    "blood pressure|bp|high blood pressure|hypertension|high bp|diabetes|blood sugar|"
    "high blood sugar|low blood sugar|hypoglycemia|cholesterol|high cholesterol|lipids|"
    "hyperlipidemia|reflux|gerd|acid reflux|indigestion|acidity|dyspepsia|stomach upset|"
    "upset stomach|gas|flatulence|edema|oedema|fluid|fluid retention|water retention|bloating|"
    "depression|mood|bipolar|adhd|seizure|seizures|epilepsy|asthma|asthma attack|copd|"
    "thyroid|hypothyroidism|angina|chest pain|heart|heart failure|heart rate|afib|"
    "atrial fibrillation|palpitations|gout|arthritis|osteoarthritis|osteoporosis|bones|bone|"
    "neuropathy|neuropathic|nerve pain|prostate|bph|urination|overactive bladder|incontinence|"
    "erectile dysfunction|acne|eczema|dermatitis|psoriasis|fungal|fungal infection|thrush|"
    "yeast|yeast infection|dry skin|dry eyes|dry eye|redness|glaucoma|eye|ear|ear pain|earache|"
    "sinus|sinusitis|bronchitis|pneumonia|cold|cold symptoms|flu|symptoms|stuffy nose|"
    "nasal congestion|motion sickness|travel sickness|hiccups|restlessness|tremor|tremors|"
    "stiffness|bleeding|anemia|anaemia|iron|vitamin d deficiency|supplement|hot flashes|"
    "hot flushes|contraception|birth control|blood clots|blood clot|stroke prevention|clots|"
    "hemorrhoids|haemorrhoids|hair loss|sweating|mucus|phlegm|discomfort|distress|irritation|"
    "burning|dental|dental pain|post op|postoperative|surgical|rescue|acute|chronic|extreme|"
    "opioid overdose|overdose|overdose symptoms|hyperkalemia|potassium"
)
"""Reasons and the words they are made of, ``|`` between."""

INSTRUCTIONS: dict[str, str] = {
    "as directed": "as directed|ud|ut dict|utd|mdu|use as directed|as advised|as instructed|"
    "ut dictum|as dir|as directed by physician|as directed by your physician|"
    "as directed by doctor|as directed by your doctor|as directed by prescriber|"
    "as per instructions|as prescribed|as explained|per package directions|"
    "as directed on package|as per doctor|as directed by md",
    "on an empty stomach": "on an empty stomach|on empty stomach|empty stomach",
    "with water": "with water|with plenty of water|with a full glass of water|"
    "with glass of water|with a glass of water|with full glass of water|with fluids|"
    "with plenty of fluids|w / water|w / full glass of water|w / a full glass of water|"
    "w / plenty of water|w / glass of water",
    "around the clock": "around the clock|round the clock",
    "discard the remainder": "discard the remainder|discard remainder|discard rest|"
    "discard the rest",
    "on the same day each week": "on the same day each week|on same day each week|"
    "same day each week|on the same day every week|same day every week|on the same day of the week",
    "in water": "in water|dissolved in water|dissolve in water|in a glass of water|"
    "in glass of water|dissolved in a glass of water|mixed with water|mix with water|"
    "mixed in water|mix in water",
    "in 8 ounces of water": "in 8 ounces of water|in 8 oz of water|with 8 ounces of water|"
    "with 8 oz of water|dissolved in 8 ounces of water|mixed in 8 ounces of water|"
    "mixed with 8 ounces of water|in 8 ounces of liquid|in 8 oz water",
    "with juice or water": "with juice or water|with water or juice|in juice or water",
    "sparingly": "sparingly|thinly|thin layer|a thin layer|thin film|a thin film|small amount|"
    "a small amount|pea sized amount|a pea sized amount|pea - sized amount|a pea - sized amount|"
    "pea size amount|a pea size amount|pea - size amount|a pea - size amount",
    "liberally": "liberally|generously",
    "until finished": "until finished|until gone|till finished|until all taken|until complete|"
    "until completed|until all gone|until all taken|finish all|finish all of it|"
    "complete course|complete the course|finish the course|finish course|until finish",
    "shake well": "shake well|shake well before use|shake before use|shake well before using",
    "swish and swallow": "swish and swallow|s & s|swish & swallow|swish then swallow",
    "swish and spit": "swish and spit|swish & spit|swish and spit out",
    "chew": "chew",
    "chew and swallow": "chew and swallow|chew then swallow",
    "dissolve": "dissolve|let dissolve|allow to dissolve",
    "gargle": "gargle|gargle with",
    "rinse mouth after use": "rinse mouth after use|rinse mouth after each use|rinse mouth after|"
    "rinse mouth afterwards|rinse mouth with water after use|rinse after use|"
    "rinse mouth after inhalation|rinse your mouth after use|rinse mouth with water after",
    "do not crush": "do not crush",
    "do not crush or chew": "do not crush or chew|do not chew or crush|swallow whole|"
    "do not chew|swallowed whole",
    "avoid alcohol": "avoid alcohol|no alcohol|do not drink alcohol",
    "avoid sunlight": "avoid sunlight|avoid sun|avoid sun exposure|limit sun exposure",
    "may cause drowsiness": "may cause drowsiness|causes drowsiness|can cause drowsiness",
    "for external use only": "for external use only|external use only|for external use",
    "keep refrigerated": "keep refrigerated|refrigerate|store in refrigerator",
    "immediately": "immediately",
    "while awake": "while awake|when awake|during waking hours",
    "via spacer": "via spacer|with spacer|using spacer|through spacer|via a spacer|with a spacer|"
    "through a spacer|using a spacer|via aerochamber|with aerochamber",
    "by nebulizer": "via nebulizer|via nebuliser|by nebulizer|by nebuliser|in nebulizer|"
    "using nebulizer|via neb|by neb|nebulized|nebulised|with nebulizer|through nebulizer|"
    "per nebulizer|via a nebulizer|in nebuliser",
    "onto the skin": "onto the skin|onto skin",
    "into the skin": "into the skin|into skin|in the skin",
    "rotate sites": "rotate sites|rotate injection sites|rotate site|rotate injection site",
    "between meals": "between meals|in between meals",
    "with or without food": "with or without food|regardless of meals|without regard to meals",
    "with milk": "with milk|with a glass of milk",
    "on clean dry skin": "on clean dry skin|to clean dry skin|to clean , dry skin|to dry skin",
    "and rub in": "and rub in|rub in|rub in well|massage in|and massage in",
    "and leave on": "leave on|and leave on",
    "same time each day": "same time each day|at the same time each day|at the same time every day|"
    "same time every day|at same time each day|at same time every day|at the same time daily",
    "do not lie down for 30 minutes": "do not lie down for 30 minutes|"
    "remain upright for 30 minutes|stay upright for 30 minutes|sit upright for 30 minutes",
}
"""Canonical words of an instruction -> the forms it is written in, ``|`` between."""
