"""Documents that nobody would write and that Signalbox may have to accept: every field at its edges and beyond them.

The same seed gives the same documents. A value that has to be refused is rare, so that most documents are good.
"""

import json
import random
import re
import socket

from .edges import (
    ADDRESSES_4, ADDRESSES_6, BAD_ADDRESSES, BAD_DURATIONS, BAD_EXPRESSIONS, BAD_HEADERS, BAD_HOSTS, BAD_METHODS,
    BAD_NAMES, BAD_PATHS, BAD_TEXTS, CONDITIONS, DURATIONS, HEADERS, HOSTS, LIMITS, METHODS, NAMES, PATHS, SEEN_PATHS, TEXTS,
)


def has_ipv6():
    """An Envoy on a machine without it refuses its addresses."""
    try:
        socket.socket(socket.AF_INET6).close()
        return True
    except OSError:
        return False


ADDRESSES = ADDRESSES_4 + ADDRESSES_6 * has_ipv6()


class Odd(random.Random):
    """A choice of everything there is to choose in one set of documents."""

    def __init__(self, seed, mischief=0.003):
        super().__init__(seed)
        self.mischief = mischief

    def maybe(self, chance=0.5):
        return self.random() < chance

    def of(self, good, bad=()):
        return self.choice(bad if bad and self.maybe(self.mischief) else good)

    def number(self, low, high):
        return self.of([low, high, self.randint(low, high)], [low - 1, high + 1, -1, 2**32, 2**64])

    def some(self, make, most=3, least=0):
        return [make() for _ in range(self.randint(least, most))]

    def many(self, make, least=0, limit=100):
        """A list, now and then as long as it may be, or longer."""
        if self.maybe(0.01):
            item = make()
            return [item] * self.of([limit], [limit + 1])
        return self.some(make, least=least)

    def part(self, **fields):
        """Each of the fields or not."""
        return {name: make() for name, make in fields.items() if self.maybe(0.4)}

    def one_of(self, **fields):
        name = self.choice(sorted(fields))
        return {name: fields[name]()}

    def host(self):
        return self.of(HOSTS, BAD_HOSTS)

    def exact_host(self):
        return self.of([host for host in HOSTS if "*" not in host], BAD_HOSTS)

    def text(self):
        return self.of(TEXTS, BAD_TEXTS)

    def word(self):
        return self.of([text for text in TEXTS if text.isascii() and text.isprintable() and len(text) < 256], BAD_TEXTS)

    def path(self):
        return self.of(PATHS, BAD_PATHS)

    def matched_path(self):
        """As proxies see paths; the others are refused where requests are matched."""
        return self.of(SEEN_PATHS, [path for path in PATHS if path not in SEEN_PATHS] + BAD_PATHS)

    def header(self):
        return self.of(HEADERS, BAD_HEADERS)

    def duration(self):
        return self.of(DURATIONS, BAD_DURATIONS)

    def labels(self):
        return {key: self.word() for key in self.some(self.word)}

    def service(self, name):
        return {"kind": "service", "name": name, "instances": self.many(self.instance, limit=300)}

    def instance(self):
        return {
            "id": f"{self.random()}",
            "address": self.of(ADDRESSES, BAD_ADDRESSES),
            "port": self.number(1, 65535),
        } | self.part(
            weight=lambda: self.number(0, 65535),
            tags=lambda: self.some(self.word),
            meta=self.labels,
            health=lambda: self.choice(["passing", "warning", "critical"]),
            locality=lambda: self.part(region=self.word, zone=self.word, subZone=self.word),
        )

    def defaults(self, name):
        return {"kind": "service-defaults", "name": name} | self.part(
            protocol=lambda: self.choice(["http", "http2", "grpc"]),
            connectTimeout=self.duration,
            loadBalancer=lambda: {
                "policy": self.choice(["round_robin", "least_request", "random", "ring_hash", "maglev"])
            },
            circuitBreaker=lambda: self.part(
                maxConnections=self.limit,
                maxPendingRequests=self.limit,
                maxConcurrentRequests=self.limit,
                maxConcurrentRetries=self.limit,
            ),
        )

    def limit(self):
        return self.of(LIMITS, [-1, 2**32])

    def gateway(self, name):
        listeners = [self.listener(number) for number in range(self.randint(1, 4))]
        return {"kind": "gateway", "name": name, "proxies": {}, "listeners": listeners} | self.part(
            virtual_hosts=self.delivery, clusters=self.delivery
        )

    def delivery(self):
        return self.of(["all", "on-demand"], ["none"])

    def listener(self, number):
        name = self.of(["a", "L" * 250, "x.y"], BAD_NAMES) + str(number)
        if self.maybe(0.2):
            return {"name": name, "protocol": "proxyless"}
        port = self.of([1 + number, 65535 - number], [0, 1, 65535, 65536])
        return {"name": name, "port": port} | self.part(address=lambda: self.of(ADDRESSES, BAD_ADDRESSES))

    def route(self, number, gateways, services):
        return {
            "kind": "route",
            "name": self.of(["r", "R" * 250], BAD_NAMES) + str(number),
            "hostnames": sorted(set(self.some(self.host)), key=str.lower),
            "gateways": self.sample(gateways, self.randint(1, len(gateways))),
            "rules": self.some(lambda: self.rule(services), least=1, most=4),
        }

    def rule(self, services):
        rule = self.part(requestHeaders=self.edits, responseHeaders=self.edits)
        by_prefix = self.maybe()
        if self.maybe(0.9):
            rule["matches"] = self.some(lambda: self.match(by_prefix))
        if self.maybe(0.3):
            redirect = self.part(
                scheme=lambda: self.choice(["http", "https"]),
                hostname=self.exact_host,
                path=lambda: self.new_path(by_prefix),
                statusCode=lambda: self.of([301, 302, 303, 307, 308], [200, 304]),
            )
            return rule | {"redirect": {"port": self.number(1, 65535)} | redirect}
        rule["backends"] = self.many(lambda: self.backend(services), least=1, limit=1000)
        rule |= self.part(timeout=lambda: self.of([*DURATIONS, "0s"], BAD_DURATIONS), retry=self.retry)
        if self.maybe():
            rule["rewrite"] = self.one_of(hostname=self.exact_host, path=lambda: self.new_path(by_prefix)) | self.part(
                hostname=self.exact_host
            )
        return rule

    def match(self, by_prefix):
        match = self.part(
            method=lambda: self.of(METHODS, BAD_METHODS),
            headers=lambda: self.some(lambda: self.value_match(self.header)),
            queryParams=lambda: self.some(lambda: self.value_match(self.parameter)),
        )
        if by_prefix:
            return match | self.part(path=lambda: {"value": self.matched_path()})
        kind = self.choice(["PathPrefix", "Exact", "RegularExpression"])
        value = self.expression() if kind == "RegularExpression" else self.matched_path()
        return match | {"path": {"type": kind, "value": value}}

    def parameter(self):
        return self.of([text for text in TEXTS if len(text.encode()) <= 1024], ["", "q" * 1025, *BAD_TEXTS])

    def value_match(self, name):
        kind = self.choice(["Exact", "RegularExpression", "Present"])
        value = {"Exact": self.text, "RegularExpression": self.expression}.get(kind)
        return {"name": name(), "type": kind} | ({"value": value()} if value else {})

    def backend(self, services):
        return {"service": self.choice(services)} | self.part(
            subset=lambda: self.part(tags=lambda: self.some(self.word), meta=self.labels),
            weight=lambda: self.number(0, 1_000_000),
        )

    def new_path(self, by_prefix):
        fields = {"replaceFullPath": self.path} | ({"replacePrefixMatch": self.replacement} if by_prefix else {})
        return self.one_of(**fields)

    def replacement(self):
        return "/" if self.maybe(0.3) else self.path()

    def edits(self):
        def header():
            return {"name": self.header(), "value": self.text()}

        return self.part(
            set=lambda: self.many(header), add=lambda: self.many(header), remove=lambda: self.many(self.header)
        )

    def retry(self):
        return {"attempts": self.number(0, 20)} | self.part(
            codes=lambda: self.some(lambda: self.number(400, 599)),
            retryOn=lambda: self.sample(CONDITIONS, self.randint(0, len(CONDITIONS))),
            perTryTimeout=self.duration,
            backoff=self.duration,
        )

    def expression(self, depth=0):
        """Most are good RE2; what is wrong with the others is what people try."""
        if self.maybe(self.mischief):
            return self.choice(BAD_EXPRESSIONS)
        make = self.choice([self.atom] * 3 + [self.group, self.repetition, self.alternatives, self.sequence])
        return self.atom() if depth > 3 else make(depth)

    def atom(self, depth=0):
        return self.choice([
            "a", "/", "/v[0-9]+", ".", "^", "$", r"\d", r"\W", r"\s", r"\b", r"\A", r"\z", r"\pL", r"\PN", r"\p{Greek}",
            "[a-z]", "[^/]", "[[:alpha:]]", r"[\d_-]", "[^\\n]", r"\.", r"\x41", r"\x{e9}", r"\Q.*\E", "é", "[é-ü]",
            "日", "\U0001f600", "[^é]", r"\C", "%", "(?i)é", " ", "\t", r"\0", r"\377", "a\0", "[a-zA-Z0-9_.-]", "(?s).",
        ])

    def group(self, depth):
        opening = self.choice(["(", "(?:", "(?i:", "(?s:", "(?U:", "(?P<n>", "(?m:", "(?-i:"])
        return f"{opening}{self.expression(depth + 1)})"

    def repetition(self, depth):
        times = self.choice(["*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{1,}", "{0}", "{7}"])
        return f"(?:{self.expression(depth + 1)}){times}"

    def alternatives(self, depth):
        return "|".join(self.some(lambda: self.expression(depth + 1), least=1, most=4))

    def sequence(self, depth):
        return "".join(self.some(lambda: self.expression(depth + 1), least=1, most=4))


def documents(seed):
    """The text of one file."""
    odd = Odd(seed)
    services = odd.sample(NAMES, odd.randint(1, 3))
    gateways = odd.sample(NAMES, odd.randint(1, 2))
    made = [odd.service(name) for name in services]
    made += [odd.defaults(name) for name in services if odd.maybe()]
    made += [odd.gateway(name) for name in gateways]
    made += [odd.route(number, gateways, services) for number in range(odd.randint(1, 5))]
    return "---\n".join(yaml(each) for each in made)


def yaml(document):
    """JSON, with what YAML does not print escaped."""
    text = json.dumps(document, ensure_ascii=False)
    return re.sub("[\x7f-\x84\x86-\x9f\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"
