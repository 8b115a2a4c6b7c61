"""Conversations that nobody thought of: at the end of each, the client holds what there is."""

import random

from case import ConformanceTest, over
from client import ALL, SOTW
from resources import CDS, KINDS, LDS, RDS, ROOTS

NAMES = "abcdef"
STEPS = 80


class Random(ConformanceTest):
    @over(ALL, range(15))
    def test_a_conversation(self, seed):
        """The number in its name is the seed with which it is held again."""
        self.chance = random.Random(seed)
        self.talker, self.unanswered = self.client(), []
        often = [self.change, self.want, self.answer, self.answer]
        for _ in range(STEPS):
            self.chance.choice([*often, *often, self.appear, self.vanish, self.at_once, self.drop, self.come_back])()
        self.finish()

    def some(self, names, most=3):
        names = sorted(names)
        return self.chance.sample(names, min(len(names), self.chance.randint(1, most)))

    def at_once(self):
        with self.world.together():
            for step in self.chance.choices((self.change, self.appear, self.vanish), k=4):
                step()

    def change(self):
        kind = self.chance.choice(KINDS)
        self.world.change(kind, *self.some(self.world.of(kind)))

    def appear(self):
        self.world.add(self.chance.choice((CDS, LDS, RDS)), *self.some(NAMES))

    def vanish(self):
        kind = self.chance.choice((CDS, LDS, RDS))
        self.world.remove(kind, *self.some(self.world.of(kind), most=2))

    def want(self):
        kind = self.chance.choice(KINDS)
        names = ["*"] if kind in ROOTS and self.chance.random() < 0.2 else self.some(NAMES)
        self.talker.subscribe(kind, *names)

    def drop(self):
        kind = self.chance.choice(KINDS)
        if self.talker.of(kind).wanted:
            self.talker.unsubscribe(kind, *self.some(self.talker.of(kind).wanted))

    def answer(self):
        """Whatever came, if something came: it is accepted, refused, or left for later. What a refused removal means
        nobody says, so none is refused."""
        if self.talker.has_come():
            self.unanswered.append(self.talker.expect())
        if self.unanswered and self.chance.random() < 0.8:
            response = self.unanswered.pop(0)
            refused = self.chance.random() < 0.3 and not self.takes_away(response)
            answer = self.talker.nack if refused else self.talker.ack
            if self.chance.random() < 0.3:
                wanted = self.talker.of(response.kind).wanted
                answer(response, self.some(set(NAMES) - set(wanted)), self.some(wanted, most=1))
            else:
                answer(response)

    def takes_away(self, response):
        left_out = set(self.talker.held(response.kind)) - response.names
        return response.removed or self.variant in SOTW and response.kind.is_whole and left_out

    def come_back(self):
        if self.chance.random() < 0.3:
            self.talker, self.unanswered = self.reconnected(self.talker), []
            for kind in self.chance.sample(KINDS, len(KINDS)):
                if self.talker.of(kind).wanted:
                    self.talker.resume(kind)

    def finish(self):
        """All that was left is answered; then everything that is there gets new content, so that no refusal counts."""
        for response in self.unanswered:
            self.talker.ack(response)
        self.talker.settle()
        with self.world.together():
            for kind in KINDS:
                self.world.change(kind, *self.world.of(kind))
        while not all(self.talker.held(kind) == self.due(kind) for kind in KINDS):
            self.talker.take()

    def due(self, kind):
        """What the client is to hold in the end."""
        now = self.talker.of(kind)
        there = {name: number for name, number in self.world.of(kind).items() if now.wildcard or name in now.wanted}
        # SotW does not say what is gone, but for the types that it sends whole: the client keeps it.
        return there if self.variant not in SOTW or kind.is_whole else now.held | there
