"""What people write under their photos: every script and every excess.

A wall, an export and an analyst's table must take all of it, so all of it comes
up: nothing at all, one emoji, right-to-left, text that looks like markup, text of
the greatest length.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Writer = Callable[[Random, str, str], str | None]
LONGEST = 2200
"""Characters in a caption; the old API took no more."""

_SCENES: dict[str, list[str]] = {
    "concert": ["Front row. Ears gone, heart full 🎉", "They played it!!", "Encore!!"],
    "confetti": ["And then the ceiling exploded 🎊", "Best. Night. Ever."],
    "sunset": ["Golden hour did not disappoint 🌅", "Goodnight, sun.", "No filter."],
    "beach": ["Found our spot 🏖️", "Salt in the hair, sand everywhere."],
    "mist": ["6 a.m. and completely worth it", "Quiet."],
    "snow": ["Fresh snow up there ❄️", "Can you see the hut? Neither could we."],
    "dunes": ["Red hour.", "Walked an hour, saw nobody."],
    "aurora": ["I cried a little. Not sorry.", "The sky is dancing 💚"],
    "milky_way": [
        "Camp is where the stars are ⛺",
        "Zero bars of signal, ten of stars",
    ],
    "balloons": ["pink pink pink 🎈", "Up, up and away"],
    "skyline": ["Night bus home.", "This city never sleeps and neither do I 🌃"],
    "facade": ["Terracotta everything.", "Somebody left the light on"],
    "flower": ["For mum 🌼", "The first one this year"],
    "forest": ["Forest bath 🌲", "Listen."],
    "coffee": ["First things first ☕", "Fuel before day two"],
    "salad": ["Colours count as vitamins 🥗", "Lunch with the crew"],
    "bokeh": ["Took my glasses off for this one", "City lights ✨"],
    "fireworks": ["Three, two, one… 🎆", "Worth the wait in the cold!"],
    "poster": ["Seen on the way in", "This.", "Note to self"],
    "friends": ["Reunited after three years and it felt like five minutes ❤️", "Us."],
    "portrait": ["New profile picture?", "Meet the newest member of the team 👋"],
}
_TONGUES: dict[str, list[str]] = {
    "ar": [
        "مرحبا من هنا! أجمل غروب رأيته في حياتي 🌅",
        "ليلة لا تُنسى مع الأصدقاء",
        "قهوة الصباح ☕ ثم نبدأ اليوم الثاني 2026",
    ],
    "he": [
        "איזה ערב מדהים! תודה לכולם ❤️",
        "קפה ראשון של הבוקר",
        "סוף סוף כאן (ו-DJ מעולה)",
    ],
    "ja": [
        "最高の夜でした。また来年も来たい!",
        "夕焼けがきれいすぎる🌇",
        "朝のコーヒー。今日も一日がんばろう",
    ],
    "zh": ["今晚的灯光太美了✨", "和朋友们在一起的一天"],
    "ko": ["오늘 공연 정말 최고였어요 🎶", "하늘 좀 보세요!"],
    "hi": ["आज की शाम बहुत खूबसूरत थी 🌸", "दोस्तों के साथ एक यादगार दिन"],
    "th": ["บรรยากาศดีมากกก 😍"],
    "pt": ["Que noite! Obrigada, gente 💛", "Melhor pôr do sol do ano, sem dúvida."],
    "es": ["¡Qué noche! ¿Quién se apunta mañana?", "Aquí se respira mejor 🌿"],
    "fr": ["Soirée magique, merci à toutes et à tous ✨", "L'été n'est pas fini !"],
    "de": ["Schöner geht’s nicht. Grüße an alle Daheimgebliebenen!"],
    "tr": ["Bu akşam gökyüzü bambaşkaydı 🌌"],
    "uk": ["Неймовірний вечір! Дякуємо всім 💙💛"],
    "el": ["Τι βραδιά κι αυτή! 🎶"],
}
_EMOJI = ["🔥🔥🔥", "😍", "🎈🎈", "👩‍👩‍👧‍👦🏳️‍🌈", "👏🏽👏🏿👏🏻", "🇵🇹🇯🇵🇧🇷", "…💫"]
_MARKUP = [
    "<b>bold?</b> no, just me & my <i>camera</i>",
    '<script>alert("hello")</script> nice try',
    "5 < 7 && 7 > 5 — quick maths &amp; coffee",
    "{{ not a template }} ${nor}this %s",
]
_MANY = (
    *("photooftheday", "instagood", "love", "beautiful", "happy", "summer", "friends"),
    *("nature", "travel", "sunset", "photography", "music", "festival", "live"),
    *("night", "lights", "city", "weekend", "goodvibes", "explore", "wanderlust"),
    *("art", "design", "colors", "memories"),
)
_STORY = (
    "We left before sunrise because somebody had read that the light is best then. ",
    "It was dark, the coffee was not hot, and nobody spoke for the first hour. ",
    "Then the road came over the ridge and all of it lay there at once. ",
    "We stopped the car in the middle of nowhere and got out. ",
    "I have tried to write down what it was like and I keep crossing it out. ",
    "What I remember is that it was quiet, and that we laughed a lot afterwards. ",
)


def write_caption(random: Random, tag: str, scene: str) -> tuple[str | None, str]:
    """A caption (``None`` for a post without one) and its language."""
    kind = random.choices(list(_KINDS), [share for share, _ in _KINDS.values()])[0]
    text = _KINDS[kind][1](random, tag, scene)
    if text is not None:
        text = text[:LONGEST]
    if kind in _TONGUES:
        return text, kind
    return text, "ja" if kind == "none" else "en"


def tags_in(caption: str | None, tag: str) -> list[str]:
    """The hashtags of a caption as the old API lists them: lower case, no ``#``,
    and ``tag`` in any case (its author may have added it in a comment)."""
    words = (caption or "").replace("\n", " ").split(" ")
    named = [word[1:].lower() for word in words if word.startswith("#") and word[1:]]
    return list(dict.fromkeys([tag, *named]))


def _plain(random: Random, tag: str, scene: str) -> str:
    text = random.choice(_SCENES.get(scene, ["Here."]))
    extra = random.sample(_MANY, random.choice([0, 0, 1, 2]))
    return " ".join([text, f"#{tag}", *(f"#{word}" for word in extra)])


def _tongue(language: str) -> Writer:
    def write(random: Random, tag: str, scene: str) -> str:
        return f"{random.choice(_TONGUES[language])} #{tag}"

    return write


def _none(random: Random, tag: str, scene: str) -> None:
    return None


def _emoji(random: Random, tag: str, scene: str) -> str:
    return f"{random.choice(_EMOJI)} #{tag}"


def _bare(random: Random, tag: str, scene: str) -> str:
    return f"#{tag}"


def _markup(random: Random, tag: str, scene: str) -> str:
    return f"{random.choice(_MARKUP)} #{tag}"


def _many(random: Random, tag: str, scene: str) -> str:
    words = random.sample(_MANY, random.randint(14, len(_MANY)))
    return f"#{tag} " + " ".join(f"#{word}" for word in words)


def _lines(random: Random, tag: str, scene: str) -> str:
    text = random.choice(_SCENES.get(scene, ["Here."]))
    return f"{text}\n.\n.\n.\n\nDay {random.randint(1, 3)} of 3\n#{tag}"


def _long(random: Random, tag: str, scene: str) -> str:
    text = f"A long story about #{tag} \n\n"
    while len(text) < random.randint(2010, 2080):
        text += random.choice(_STORY)
    return f"{text.strip()}\n\n(the end)"


_KINDS: dict[str, tuple[float, Writer]] = {
    "plain": (40, _plain),
    "none": (7, _none),
    "bare": (3, _bare),
    "emoji": (5, _emoji),
    "markup": (4, _markup),
    "many": (4, _many),
    "lines": (5, _lines),
    "long": (3, _long),
    "ar": (5, _tongue("ar")),
    "he": (4, _tongue("he")),
    "ja": (5, _tongue("ja")),
    **{
        language: (1.5, _tongue(language))
        for language in (
            "zh",
            "ko",
            "hi",
            "th",
            "pt",
            "es",
            "fr",
            "de",
            "tr",
            "uk",
            "el",
        )
    },
}
