"""The people who post at the sandbox. All of them are made up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# username, full name ("" = they gave none), language they write in
_ROWS = """
ana.costa|Ana Costa|pt
joao_pereira|João Pereira|pt
bia.melo|Beatriz Melo|pt
marta_v|Marta Vidal|es
pilar.ruiz|Pilar Ruiz|es
diego_sol|Diego Solís|es
ben.okafor|Ben Okafor|en
ravishah|Ravi Shah|en
chloe.d|Chloé Dutronc|fr
le_petit_jules|Jules Ferrand|fr
tomaskral|Tomáš Král|en
ingrid.holm|Ingrid Holm|en
oskar_n|Oskar Nyström|en
mia.weber|Mia Weber|de
j0nas|Jonas Brandt|de
zeynep.ay|Zeynep Ay|tr
deniz_k|Deniz Kaya|tr
laylaa|ليلى حداد|ar
omar.photos|عمر الخطيب|ar
noor_7|نور|ar
noa.levi|נועה לוי|he
eitan_b|איתן ברק|he
sakura_nitta|新田 さくら|ja
haru.k|小林 陽|ja
yuki_neko|ゆき🐈|ja
li_wei88|李伟|zh
xiaomei|陈小美|zh
minji.park|박민지|ko
seojun_|김서준|ko
ananya.rao|अनन्या राव|hi
kabir_d|कबीर|hi
somchai.t|สมชาย|th
olena.kv|Олена Ковальчук|uk
misha_rivers|Михаил Реков|uk
eleni.p|Ελένη Παππά|el
nino_tbilisi|ნინო|en
abebe_run|አበበ|en
thuy.nguyen|Thùy Nguyễn|en
kiri.hana|Kiri Hana Te Rangi|en
wander_lens||en
_the.quiet.one_||en
x1||en
annamariavonundzumsteinbach|Anna Maria Elisabeth von und zum Steinbach-Aue|de
"""


@dataclass(frozen=True, slots=True)
class Person:
    """An account: ``number`` makes its native id and its portrait."""

    number: int
    username: str
    name: str
    language: str

    @property
    def native_id(self) -> str:
        """Like an account id of the old API: digits, as text."""
        return str(100_003 + self.number * 7_919)


PEOPLE: tuple[Person, ...] = tuple(
    Person(number, *row.split("|"))
    for number, row in enumerate(_ROWS.strip().splitlines())
)


def somebody(random: Random, language: str) -> Person:
    """A person who writes in ``language``; anybody if nobody does."""
    pool = [person for person in PEOPLE if person.language == language]
    return random.choice(pool or PEOPLE)
