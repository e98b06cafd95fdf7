"""Word lists of the sentence grammar (see `train.voice.corpus.sentences`), written for this project.

Chosen so that every phone of American English occurs often, rare ones (as in "measure", "boy", "thing", "good")
included, and so that any word fits any template slot of its kind.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.replace("\n", " ").split(",") if word.strip())


NAMES: Final = _words("""
    Joyce, Roy, Thea, Hugo, George, Judith, Theo, Ruth, Chloe, Zoe, Boyd, Ethan, Maya, Isabel, Noah, Olive, Walter,
    Yara, Vivian, Oscar, Paul, Audrey, Grace, Shirley, Pearl, Burt, Heather, Keith, Beth, Mathew, Asia, Jean, Louis,
    Eunice, Hugh, Young, Ian, Naomi, Doyle, Floyd, Felix, Charlotte, Sasha, Josh, Chuck, Archie, Gwen, Faye, Howard,
    Brown, Powell, Dawn, Laura, Victor, Wayne, Quinn, Ingrid, Angus, Yusuf, Zara
""")
RELATIVES: Final = _words("""
    my brother, our neighbor, the young teacher, her oldest cousin, the tall nurse, a thoughtful stranger,
    the choir, his father, my grandmother, the village doctor, our noisy uncle, the new pilot, a cheerful waiter,
    the other judge, everyone at the table, the whole crew, nobody else, the shy boy, the girl next door,
    your favorite author, the television reporter, a retired plumber, the museum guide, their lawyer, the youngest child
""")
THINGS: Final = _words("""
    umbrella, violin, treasure, measuring cup, garage door, bicycle, feather, shovel, toy boat, coin, bookshelf,
    cookie jar, wooden spoon, leather jacket, paper bag, guitar, kettle, lantern, television, cabbage, orange, jigsaw,
    thermometer, bathtub, mouth organ, cushion, sugar bowl, cloud, towel, trumpet, chair, mirror, hammer, ladder,
    blanket, ring, angle iron, yellow yarn, onion, yogurt, cube, music box, huge vase, pleasure boat, photograph,
    earring, bird cage, church bell, nutshell, judge's robe, ticket, oyster shell, pouch, cowboy hat, mouse,
    whistle, wheel, window, sandwich, thimble, pathway sign, toothbrush, breathing mask, oven glove, envelope,
    quilt, square box, fox costume, wax candle, zebra print, lizard, buzzer, puzzle, raisin cake, gas stove, engine,
    drawing, sofa, calendar, water bottle, pocket knife, flag, piano, drum, picnic basket, puddle, pebble, barrel
""")
PLURALS: Final = _words("""
    boys, voices, toys, coins, measures, pages, bridges, judges, watches, peaches, bushes, wishes, roses, noises,
    feathers, mothers, brothers, months, moths, paths, teeth, mouths, leaves, wolves, shelves, gloves, books, cooks,
    hooks, cushions, puddings, thoughts, dogs, songs, halls, clouds, towers, flowers, owls, houses, birds, words,
    turtles, nurses, girls, pearls, cubes, musicians, uniforms, yards, onions, vowels, whales, wheels, quilts,
    squares, exams, boxes, zebras, lizards, apples, oranges, eggs, islands, oceans, engines, rings, kings, singers,
    fingers, anchors, monkeys, drums, plums, brushes, cheers, years, stairs, chairs, stars, guitars, doors, stores
""")
STUFF: Final = _words("""
    butter, oil, soy sauce, ginger, sugar, flour, milk, cheese, rhubarb, thyme, yeast, wood, wool, string, chalk,
    cloth, leather, moisture, smoke, thunder, sunshine, snow, fog, noise, music, laughter, courage, patience,
    pleasure, leisure, wisdom, truth, health, wealth, knowledge, homework, luggage, furniture, garbage, rouge
""")
PLACES: Final = _words("""
    at the harbor, by the river, near the lighthouse, in the kitchen, behind the church, under the old bridge,
    on the roof, across the valley, in the garage, beyond the orchard, along the beach, inside the theater,
    at the bus station, around the corner, in a noisy hall, on the south side, down at the quay, by the fountain,
    above the bakery, in the middle of town, at the zoo, in the cloakroom, upstairs, outside, in our backyard,
    between two houses, on the ferry, at the end of the road, throughout the building, beside the oil lamp,
    in the Persian garden, at the village school, over the hedge, on the fourth floor, close to the shore
""")
TIMES: Final = _words("""
    yesterday, this morning, last Thursday, before noon, after the storm, every other month, in early March,
    on the third of July, at half past four, just now, around midnight, all summer, twice a year, during the voyage,
    on Wednesday, a fortnight ago, since January, at the usual time, without a pause, for the first time,
    as soon as the bell rang, when the fog lifted, an hour later, in nineteen eighty, until sunrise, by tomorrow
""")
ADJECTIVES: Final = _words("""
    yellow, huge, curious, noisy, royal, spoiled, moist, smooth, rough, thick, thin, healthy, earthy, young, strong,
    wrong, long, good, wooden, full, bushy, awkward, small, tall, broad, brown, loud, round, proud, sour, early, dirty,
    purple, rare, square, fair, weird, clear, sharp, dark, warm, warped, beige, usual, casual, cheap, rich, gentle,
    average, fresh, bashful, cozy, lazy, fuzzy, busy, vague, heavy, vivid, quick, quiet, queer, wild, white, tiny,
    shiny, bright, polite, ancient, patient, angry, hungry, single, simple, little, metal, modern, wicked, ugly
""")
ADVERBS: Final = _words("""
    quietly, loudly, smoothly, usually, casually, joyfully, carefully, thoroughly, awkwardly, badly, gladly, roughly,
    truthfully, warmly, early, seriously, vaguely, quickly, eagerly, foolishly, fully, hardly ever, perfectly,
    obviously, generously, at once, over and over, far too often, with great pleasure, without thinking
""")
PAST: Final = _words("""
    found, watched, measured, pushed, pulled, shook, took, bought, caught, brought, taught us about, thought about,
    joined, enjoyed, avoided, destroyed, polished, pointed at, voiced doubts about, counted, announced, found out about,
    described, drew, threw away, chewed on, viewed, used, refused, excused, heard about, turned over, earned, burned,
    searched for, washed, wished for, choked on, judged, managed, changed, arranged, charged for, sang about, hung up,
    rang about, thanked us for, breathed on, gathered, borrowed, carried, worried about, shared, cleared, feared,
    guarded, started with, warned us of, stored, wrapped, wrote about, whispered about, wondered about, quoted,
    questioned, explained, examined, mixed up, fixed, visualized, raised, praised, loved, gave away, saved, served,
    kicked, packed, picked, dropped, grabbed, hugged, dragged, lit, hid, fed, sold, held, built, spilled, smelled
""")
BASE: Final = _words("""
    find, watch, measure, push, pull, shake, take, buy, catch, bring, teach, join, enjoy, avoid, destroy, polish,
    point out, count, announce, draw, throw away, chew, view, use, refuse, excuse, hear, turn over, earn, burn,
    search for, wash, wish for, judge, manage, change, arrange, charge for, sing about, hang up, thank them for,
    breathe on, gather, borrow, carry, worry about, share, clear, guard, start with, store, wrap, write about,
    whisper about, question, explain, examine, mix, fix, raise, praise, love, give away, save, serve, pack, pick, drop
""")
MOTIONS: Final = _words("""
    walked, ran, hurried, wandered, rode, sailed, drove, flew, marched, strolled, rushed, jogged, crawled, climbed,
    swam, slid, stumbled, voyaged, roamed, danced, skated, tiptoed, limped, lurched, plunged, soared, slouched
""")
ANIMALS: Final = _words("""
    goose, fox, thrush, wolf, owl, mouse, turtle, giraffe, zebra, pigeon, jaguar, hyena, oyster, moth, python, seal,
    whale, donkey, camel, beaver, raven, sheep, cheetah, chicken, koala, yak, bull, badger, lynx, puppy, kitten, horse
""")
WEATHER: Final = _words("""
    cloudy, windy, foggy, icy, humid, unusually warm, bitterly cold, wet, dry, gray and dull, clear and bright,
    stormy, muggy, chilly, beautiful, awful, smoggy, calm, gusty, mild
""")
FEELINGS: Final = _words("""
    joy, rage, thirst, hunger, pride, shame, doubt, pleasure, surprise, fear, boredom, curiosity, sorrow, relief,
    jealousy, hope, youthful courage, quiet confidence, confusion, deep gratitude
""")
OPENERS: Final = _words("""
    Honestly, In my view, Of course, To be fair, As usual, Believe it or not, By the way, After all, Oh well,
    Once in a while, For better or worse, If you ask me, Strangely enough, Without a doubt, At long last,
    Generally speaking, Believe me, On second thought, In other words, Rumor has it that
""")
EXCLAMATIONS: Final = _words("""
    Wow, Oh boy, Good grief, Hooray, Ouch, Goodness, Well done, Look out, My word, Hey, Yes, No way, Ah, Bravo, Whoa
""")
COLORS: Final = _words("red, blue, green, purple, orange, white, black, gray, beige, turquoise, azure, brown, pink")
JOBS: Final = _words("""
    a teacher, a chef, a judge, an engineer, a nurse, a lawyer, an usher, a jeweler, a plumber, a surgeon, a musician,
    a carpenter, a zookeeper, an author, a voice coach, a bus driver, a photographer, an archaeologist, a goalkeeper
""")
