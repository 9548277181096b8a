"""What the feeds and the folder of the fixture say. All of it is invented."""

from __future__ import annotations

from tests.upgrade.stage import Entry

TALKS = Entry(
    "talks",
    "Talks on the Gao road begin again",
    "Delegates from four villages sat down in a school near Gao on Tuesday to speak about who may use the river "
    "road in Mali at night. Drivers of flour lorries had asked for the meeting after two bridges were closed "
    "without notice and the price of a sack rose by a third within one week. An elder said that nobody would sign "
    "anything before the ferry runs again, and that the next meeting should be held on the other bank.",
)
LEAVING = Entry(
    "leaving",
    "Wagner instructors leave a camp outside Sénou",
    "Three buses and a fuel tanker left the training camp before sunrise, says a baker who sells bread at its "
    "gate. Wagner men had lived there for two rainy seasons, taught recruits in Mali to repair engines, and paid "
    "for their tea in small notes. The hangar is empty now, and goats stand in the shadow of the wall.",
)
MATCH = Entry(
    "match",
    "Football: a draw against a tired side",
    "The football team of the capital found no way through a wall of eleven defenders and went home with one "
    "point, a yellow card for the goalkeeper and a long list of chances that nobody cares to count.",
)
COTTON = Entry(
    "cotton",
    "Rain delays the cotton fair",
    "The fair opens four days late because the field in which its tents stand is under water up to the knee.",
)
WELLS = Entry(
    "wells",
    "Kidal counts its wells",
    "A team of six students walked for nine days around Kidal in the north of Mali and wrote down each well, its "
    "depth and the taste of its water. Of eighty wells that stand on the old map they found fifty-one, and eleven "
    "that nobody had drawn. The list hangs at the market now, with a pencil on a string for corrections.",
)
CONVOY = Entry(
    "convoy",
    "A convoy of flour reaches Ménaka",
    "Forty lorries with flour and lamp oil came into Ménaka after eleven days on the road, the first convoy to "
    "cross the east of Mali since the river rose. Shopkeepers had kept their shutters down for a week; on Friday "
    "they sold bread by the half loaf, and children counted the lorries from the roof of the mill.",
)
TRAIN = Entry(
    "train",
    "The night train to Kayes runs again",
    "After two years without a locomotive the night train left for Kayes with three coaches, one of them with "
    "lamps. The railway of Mali borrowed the engine from a quarry and promises to give it back before the "
    "harvest.",
)
BANK = Entry(
    "bank",
    "Elders agree on a ferry timetable",
    "The villages around Gao in Mali have agreed that the ferry crosses at six, at noon and at dusk, and that "
    "flour goes first. A painted board with the hours was nailed to a tamarind tree, and the ferryman signed it "
    "with his thumb.",
)
NOTE = """Teachers of Ségou mend their own roof

Eleven teachers of a school in Ségou, in the middle of Mali, carried sheets of tin up a ladder on their free day and
mended the roof that the last storm had taken. The office that should have done it sent a letter of thanks and asked
for the receipt of the nails, which were a gift.
"""
LETTER = """---
title: A letter on mangoes
---
The traders of Sikasso write that mangoes from Mali are stopped at the border for want of a stamp that was changed in
spring. They ask for the old stamp back, or for the new one by Thursday, since a mango does not wait for either.
"""
COPY = f"Road talks resume near Gao\n\n{TALKS.text}\n"
"""The text of TALKS in another paper."""

CORRECTED = "Talks on the Gao road begin again, without the ferrymen"
RECOUNTED = "A convoy of flour and lamp oil reaches Ménaka"
LIBRARY = Entry(
    "library",
    "A library opens in a shipping container",
    "In a suburb of Bamako, Mali, a blue container that once carried tyres holds four hundred books and a lamp. "
    "Its keeper lends two at a time, against a promise spoken aloud in front of the shelf.",
)
