"""Rooms 00 and 01: characters, YAML, and what a schema can judge."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import CHECKOUT, Entry, manifest

_EITHER = {
    "platform/recipes/shared-bucket/v1/recipe.yaml": "title: Shared bucket\ndescription: A folder of the team's "
    "bucket.\ntype: bucket\nform: kubernetes\nstateful: false\nsizes: []\noutputs: {name: {from: value, value: a}}\n"
    "options:\n  expires:\n    type: object\n    description: When files go.\n    default: {never: true}\n"
    "    properties: {days: {type: integer}, never: {const: true}}\n"
    "    oneOf: [{required: [days]}, {required: [never]}]\n",
    "platform/recipes.yaml": "recipes:\n- {provides: bucket, match: {}, recipe: shared-bucket}\n",
}

ENTRIES: Mapping[str, Entry] = {
    "CW0001": Entry(
        "a character that is invisible, or not read the same everywhere",
        "Control characters, marks without width, marks that turn the direction of writing, byte order marks and old "
        "line ends are refused, written out or as an escape.",
        "What a reviewer sees must be what runs. Two programs that read such a character differently would run "
        "different things.",
        manifest('description: "pay\\u200bments"\n'),
        manifest('description: "payments"\n'),
    ),
    "CW0002": Entry(
        "a letter that is not in its composed form",
        "A letter with an accent is written as two characters (`e` and a combining accent) instead of one.",
        "The same word could then be written in two ways that look the same and do not match.",
        manifest('description: "cafe\\u0301"\n'),
        manifest('description: "café"\n'),
    ),
    "CW0101": Entry(
        "the file is not YAML",
        "The reader cannot go on from this place: a tab as indentation, a quote that never ends, a bracket without its "
        "partner, text with a colon in it and no quotes.",
        "What is meant would be a guess.",
        manifest("description: pays: and refunds\n"),
        manifest('description: "pays: and refunds"\n'),
    ),
    "CW0102": Entry(
        "the file is not UTF-8",
        "A byte stands where no UTF-8 character can begin or go on, mostly because an editor saved the file in an old "
        "encoding.",
        "Readers would guess what it means, and not all the same.",
        manifest("description: café # saved as Latin-1\n"),
        manifest("description: café # saved as UTF-8\n"),
    ),
    "CW0103": Entry(
        "the file is too large or too deep",
        "A file may have 256 KiB, and lists and maps may be nested 50 deep.",
        "Every review reads every file that changed, and a person must be able to read it too.",
        manifest("args: " + "[" * 60 + "]" * 60 + "\n"),
        manifest("args: [serve, --verbose]\n"),
    ),
    "CW0104": Entry(
        "unknown field",
        "No schema knows this field at this place. Often it is misspelt, or it is called otherwise here.",
        "It would be passed over without a word, and nothing would come of it.",
        manifest("replica: 3\n"),
        manifest("scale: 3\n"),
    ),
    "CW0105": Entry(
        "the same key twice",
        "Two entries of one map have the same key. The problem names both places.",
        "One of the two would be lost without a word.",
        manifest("env: {LOG_LEVEL: info}\nport: 9000\nenv: {TZ: UTC}\n"),
        manifest("env: {LOG_LEVEL: info, TZ: UTC}\nport: 9000\n"),
    ),
    "CW0106": Entry(
        "a key that is not text",
        "YAML reads the key as a number, a boolean, nothing or a collection.",
        "Keys are names; JSON, which the schemas and most readers speak, has no others.",
        manifest('urls: {2026: "https://acme.com/plan"}\n'),
        manifest('urls: {plan-2026: "https://acme.com/plan"}\n'),
    ),
    "CW0107": Entry(
        "a YAML construct that is not allowed",
        "Anchors, aliases, merge keys, tags and directives are refused.",
        "They let a few bytes become gigabytes, or make a value depend on a line far away.",
        manifest("args: &words [serve]\ncommand: *words\n"),
        manifest("args: [serve]\ncommand: [serve]\n"),
    ),
    "CW0108": Entry(
        "more than one document",
        "A second document begins behind a line `---`.",
        "One file holds one document, so that its path names it.",
        manifest("port: 9000\n---\nport: 9001\n"),
        manifest("port: 9000\n"),
    ),
    "CW0109": Entry(
        "the file is empty",
        "The file has no content, or only comments.",
        "An empty file says nothing, and is more often an accident than a wish.",
        {"platform/holds.yaml": "# nothing is on hold\n"},
        {"platform/holds.yaml": "holds: {}\n"},
    ),
    "CW0110": Entry(
        "a number that cannot be kept exactly",
        "The number has more digits than programs keep, or is not finite.",
        "Programs that read it later would see another number, or fail.",
        manifest("env: {ACCOUNT: 12345678901234567890}\n"),
        manifest('env: {ACCOUNT: "12345678901234567890"}\n'),
    ),
    "CW0111": Entry(
        "a field is missing",
        "A field that has no default is not there.",
        "Nothing could stand for it without guessing.",
        manifest("name: checkout\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"),
        manifest("name: checkout\nowner: payments\ntype: web\nimage: ghcr.io/acme/checkout:1.4.2\n"),
    ),
    "CW0112": Entry(
        "a value of the wrong kind",
        "Text stands where a number belongs, a map where a list belongs, and so on.",
        "Another kind of value has no meaning there. Beware of what YAML makes of a word: quotes make text.",
        manifest('port: "9000"\n'),
        manifest("port: 9000\n"),
    ),
    "CW0113": Entry(
        "a value that is not one of those allowed",
        "Only a few values may stand here, and this is none of them. The problem lists them.",
        "Nothing else has a meaning here.",
        manifest("lifecycle: live\n"),
        manifest("lifecycle: production\n"),
    ),
    "CW0114": Entry(
        "a text that breaks its rule",
        "The text does not have the form that it must have: a name, a host, a duration, an image.",
        "Another system would refuse it later, or read something else in it.",
        manifest("secrets: [stripe-key]\n"),
        manifest("secrets: [STRIPE_KEY]\n"),
    ),
    "CW0115": Entry(
        "a number outside its limits",
        "The number is too small, too large, or between the steps that are allowed.",
        "Beyond its limits it cannot work.",
        manifest("port: 70000\n"),
        manifest("port: 8080\n"),
    ),
    "CW0116": Entry(
        "too long or too short, too many or too few",
        "A text, a list or a map has more or fewer parts than it may have; mostly it is empty.",
        "An empty value is never a deletion: leave the line out, or write `remove:` in an override.",
        manifest("migrate: []\n"),
        manifest("migrate: [python, manage.py, migrate]\n"),
    ),
    "CW0117": Entry(
        "the same entry twice",
        "A list that is a set holds the same entry twice.",
        "The second says nothing, or was meant to be another.",
        manifest("deploy_to: [prod, prod]\n"),
        manifest("deploy_to: [dev, prod]\n"),
    ),
    "CW0118": Entry(
        "a value that fits none of its forms, or more than one",
        "A field with a short and a long form has neither, or two forms that exclude each other.",
        "What is meant would be a guess.",
        {**_EITHER, CHECKOUT: "needs: {uploads: {type: bucket, expires: {days: 30, never: true}}}\n"},
        {**_EITHER, CHECKOUT: "needs: {uploads: {type: bucket, expires: {days: 30}}}\n"},
    ),
    "CW0119": Entry(
        "a combination or a value that is not allowed",
        "A field may not stand there at all, or not beside another one, or a value has a form that is ruled out.",
        "The problem says which rule it breaks, and why there is one.",
        manifest("secrets: {STRIPE_KEY: ../shared/stripe}\n"),
        manifest("secrets: {STRIPE_KEY: stripe}\n"),
    ),
}
