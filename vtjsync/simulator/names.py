"""Names for people who do not exist: common Finnish and Swedish ones, and some that came from further away."""

from __future__ import annotations

from typing import Final

from vtjsync.simulator.people import Language

FIRST_FI: Final = (
    "Aino Anna Elina Helmi Kaisa Kaarina Leena Liisa Maija Maria Marjatta Minna Noora Outi Pirkko Päivi Raija Ritva "
    "Saara Satu Sinikka Sofia Susanna Tuula Tuulikki Venla Vilhelmiina Ylermi Aarne Aleksi Antero Antti Eero Eino "
    "Heikki Ilmari Jaakko Jari Juha Juhani Kalevi Kari Lauri Matti Mikael Mikko Onni Olavi Paavo Pekka Petteri Pertti "
    "Risto Sami Seppo Tapani Tapio Timo Toivo Tuomas Urho Veikko Väinö Yrjö"
).split()
FIRST_SV: Final = (
    "Agneta Anders Astrid Birgitta Bo Carl Christina Ebba Erik Eva-Lotta Fredrik Gunilla Gustav Göran Hedvig Håkan "
    "Ingrid Johan Karl-Johan Kerstin Lars Lisbeth Mikaela Nils Oskar Rabbe Sixten Siv Solveig Stig Sven Ulla Viveka Åke"
).split()
LAST_FI: Final = (
    "Aaltonen Ahonen Anttila Hakala Halonen Hautala Heikkinen Heinonen Hiltunen Hirvonen Hyvönen Hämäläinen Hänninen "
    "Järvinen Kallio Karjalainen Kettunen Kinnunen Koivisto Korhonen Koskinen Kärkkäinen Laaksonen Lahtinen Laine "
    "Laitinen Lampinen Lehtonen Leinonen Leppänen Lindroos Manninen Mattila Mikkola Miettinen Moilanen Mustonen "
    "Mäkelä Mäkinen Nieminen Niskanen Nurmi Ojala Oksanen Pakarinen Partanen Peltola Pitkänen Pulkkinen Rantanen "
    "Räsänen Saarinen Salminen Salonen Savolainen Seppälä Tikkanen Toivonen Tuominen Turunen Valtonen Virtanen "
    "Vuorinen Väisänen Ylönen Äijälä"
).split()
LAST_SV: Final = (
    "Ahlroos Andersson Backman Björklund Blomqvist Dahlström Ekholm Engblom Eriksson Fagerström Forsman Granberg "
    "Grönroos Gustafsson Holmberg Häggblom Isaksson Johansson Karlsson Lindholm Lindqvist Lundström Mattsson Nordström "
    "Nyberg Nyholm Rosenqvist Sandström Sjöblom Sundqvist Söderholm Wikström Åberg Åkerlund Öhman"
).split()
FIRST_FURTHER: Final = (
    "Abdi Amina Anh Dmitri Farah Hodan Ivan Jelena Jovana Katrin Layla Mehmet Oleksandr Tiina Zahra".split()
)
# As written, and as VTJ's older fields have it when they cannot hold every letter.
LAST_FURTHER: Final[tuple[tuple[str, str | None], ...]] = (
    ("Tamm", None),
    ("Kask", None),
    ("Ivanova", None),
    ("Smirnov", None),
    ("Shevchenko", None),
    ("Nguyen", None),
    ("Mohamed", None),
    ("Ahmed Hassan", None),
    ("Đorđević", "Dordevic"),
    ("Kovačević", "Kovacevic"),
    ("Şahin", "Sahin"),
    ("Łukaszewski", "Lukaszewski"),
    ("Aikio-Näkkäläjärvi", None),
    ("Guttorm Čáhppu", "Guttorm Cahppu"),
)

FINNISH: Final = Language("fi", "fin")
SWEDISH: Final = Language("sv", "swe")
# Languages with their shares among those whose mother tongue is neither Finnish nor Swedish. Code 98 and ISO 639-2's
# "mis" tell the language in words (domain.md C25).
FURTHER: Final = (
    *(Language("ru", "rus"),) * 5,
    *(Language("et", "est"),) * 3,
    *(Language("ar", "ara"),) * 2,
    *(Language("en", "eng"),) * 2,
    *(Language("uk", "ukr"),) * 2,
    Language("so", "som"),
    Language("fa", "fas"),
    Language("ku", "kur"),
    Language("vi", "vie"),
    Language("tr", "tur"),
    Language("98", "fse", "suomalainen viittomakieli"),
    Language("98", "mis", "koltansaame"),
    Language("se", "mis", "saame"),
)
