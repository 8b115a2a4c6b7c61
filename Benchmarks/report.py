"""What Benchmarks/run has measured, beside the targets: docs/performance.md."""

from typing import NamedTuple

PEERS = ("linear", "snapshot-shared", "snapshot")
# A server that knows nothing: see floor/floor.c.
FLOOR = "floor"
VARIANT_NAMES = {"delta": "delta", "sotw": "state of the world"}

CPU = "server_cpu_per_change_ms"
MEDIAN = "propagation_p50_ms"
PER_STREAM = "server_cpu_per_change_and_stream_us"
PER_STREAM_TARGET = 45
# Of which the worst round counts; of the others the least is the best.
WORST = ("resent_unchanged", "unexpected_resources")


class Compared(NamedTuple):
    key: str
    label: str
    # Signalbox's figure over the peer's may be this much at most.
    delta: float
    sotw: float
    # In the cell of few services and many streams, where nearly all is work that every server has for each stream.
    many_streams: float


COMPARED = (
    Compared(CPU, "CPU a change, ms", 0.2, 0.25, 0.6),
    Compared(MEDIAN, "propagation p50, ms", 0.4, 1.0, 0.6),
    Compared("propagation_p99_ms", "propagation p99, ms", 0.4, 1.0, 0.6),
    Compared("last_stream_p50_ms", "last stream p50, ms", 0.4, 1.0, 0.6),
    Compared("last_stream_p99_ms", "last stream p99, ms", 0.4, 1.0, 0.6),
    Compared("sync_s", "time to sync, s", 0.4, 0.4, 0.4),
    Compared("server_cpu_sync_s", "CPU for the sync, s", 0.4, 0.4, 0.4),
    Compared("server_rss_sync_bytes", "resident after the sync, MB", 0.5, 0.5, 0.5),
)
MANY_STREAMS = (100, 1_000)
AGAINST_SNAPSHOT = ((CPU, "CPU a change, ms"), (MEDIAN, "propagation p50, ms"))
AGAINST_SNAPSHOT_TARGET = 0.02


class Scaling(NamedTuple):
    label: str
    large: tuple
    small: tuple
    target: float


SCALINGS = (
    Scaling("10,000 services against 100, 20 streams", (10_000, 20), (100, 20), 1.3),
    Scaling("1,000 streams against 100, 100 services", (100, 1_000), (100, 100), 11),
)


def cell_name(cell):
    return f"{cell[0]:,} x {cell[1]:,}"


def show(value, key=""):
    if value is None:
        return "-"
    if key.endswith("_bytes"):
        value /= 1e6
    if 0 < value < 0.01:
        return f"{value:.1g}"
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def table(heads, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def best_of_rounds(runs):
    """(cell, variant, server): the figures."""
    best = {}
    for run in runs:
        kept = best.setdefault(((run["services"], run["streams"]), run["variant"], run["server"]), {})
        for key, value in run["figures"].items():
            if isinstance(value, (int, float)):
                kept[key] = (max if key in WORST else min)(value, kept.get(key, value))
    return best


class Judge:
    """Says yes or no, and remembers the noes: those that nobody can meet here apart."""

    def __init__(self):
        self.misses, self.out_of_reach = [], []

    def at_most(self, value, target, what, floor=None):
        """The floor: what the server has there that knows nothing."""
        if value is None:
            return "not measured"
        if value <= target:
            return "yes"
        miss = f"{what}: {show(value)}, at most {target:g}"
        if floor is not None:
            miss += f"; the floor is {show(floor)}"
        (self.misses if floor is None or floor <= target else self.out_of_reach).append(miss)
        return "**no**"


def ratio(ours, theirs):
    """None if the peer's is too small to be measured."""
    return ours / theirs if theirs else None


def absolute(best, variant):
    pairs = ("propagation", "last_stream")
    rows = []
    for (cell, its_variant, server), figures in best.items():
        if its_variant != variant:
            continue
        rows.append([
            cell_name(cell), server, show(figures["changes"]), show(figures[CPU]), show(figures[PER_STREAM]),
            *(f"{show(figures[f'{name}_p50_ms'])} / {show(figures[f'{name}_p99_ms'])}" for name in pairs),
            show(figures["sync_s"]), show(figures["server_cpu_sync_s"]),
            show(figures["server_rss_sync_bytes"], "_bytes"), show(round(figures["bytes_per_change"])),
            show(figures["resources_per_change"]), show(figures["resent_unchanged"]),
        ])
    return table(
        ["services x streams", "server", "changes", "CPU a change, ms", "CPU a change and stream, µs",
         "propagation p50 / p99, ms", "last stream p50 / p99, ms", "time to sync, s", "CPU for the sync, s",
         "resident after the sync, MB", "bytes a change", "resources a change", "sent again unchanged"],
        rows,
    )


def against_best(best, cells, variant, judge):
    rows = []
    for cell in cells:
        for compared in COMPARED:
            key = compared.key
            ours = best[cell, variant, "signalbox"][key]
            theirs, peer = min((best[cell, variant, peer][key], peer) for peer in PEERS)
            target = compared.many_streams if cell == MANY_STREAMS else getattr(compared, variant)
            value, floor = ratio(ours, theirs), ratio(best[cell, variant, FLOOR][key], theirs)
            what = f"{VARIANT_NAMES[variant]}, {cell_name(cell)}, {compared.label.partition(',')[0]} against {peer}"
            rows.append([
                cell_name(cell), compared.label, show(ours, key), f"{show(theirs, key)} ({peer})", show(floor),
                show(value), f"{target:g}", judge.at_most(value, target, what, floor),
            ])
    return table(["services x streams", "figure", "Signalbox", "best peer", "floor", "ratio", "at most", "met"], rows)


def against_snapshot(best, cells, judge):
    rows = []
    for variant in VARIANT_NAMES:
        for cell in cells:
            for key, label in AGAINST_SNAPSHOT:
                ours, theirs, least = (best[cell, variant, server][key] for server in ("signalbox", "snapshot", FLOOR))
                value, floor = ratio(ours, theirs), ratio(least, theirs)
                what = f"{VARIANT_NAMES[variant]}, {cell_name(cell)}, {label.partition(',')[0]} against snapshot"
                rows.append([
                    variant, cell_name(cell), label, show(ours), show(theirs), show(floor), show(value),
                    f"{AGAINST_SNAPSHOT_TARGET:g}", judge.at_most(value, AGAINST_SNAPSHOT_TARGET, what, floor),
                ])
    heads = ["variant", "services x streams", "figure", "Signalbox", "`snapshot`", "floor", "ratio", "at most", "met"]
    return table(heads, rows)


def scaling(best, judge):
    rows = []
    for one in SCALINGS:
        for variant in VARIANT_NAMES:
            large, small = (best.get((cell, variant, "signalbox")) for cell in (one.large, one.small))
            if not large or not small:
                continue
            value = ratio(large[CPU], small[CPU])
            # What the floor has more there, any server has.
            more, less = (best[cell, variant, FLOOR][CPU] for cell in (one.large, one.small))
            floor = ratio(small[CPU] + more - less, small[CPU])
            what = f"{VARIANT_NAMES[variant]}, CPU a change, {one.label}"
            rows.append([
                variant, one.label, show(small[CPU]), show(large[CPU]), show(floor), show(value), f"{one.target:g}",
                judge.at_most(value, one.target, what, floor),
            ])
    if not rows:
        return ""
    heads = ["variant", "what grows", "CPU a change, ms", "then", "floor", "ratio", "at most", "met"]
    return f"""\
## What it grows with

CPU of Signalbox by change. It is to follow the streams and not the services.

{table(heads, rows)}

"""


def per_stream(best, cells, judge):
    rows = []
    for variant in VARIANT_NAMES:
        for cell in cells:
            value, floor = (best[cell, variant, server][PER_STREAM] for server in ("signalbox", FLOOR))
            what = f"{VARIANT_NAMES[variant]}, {cell_name(cell)}, µs of CPU a change and stream"
            rows.append([
                variant, cell_name(cell), show(value), show(floor), str(PER_STREAM_TARGET),
                judge.at_most(value, PER_STREAM_TARGET, what, floor),
            ])
    return table(["variant", "services x streams", "µs", "floor", "at most", "met"], rows)


def write(raw):
    """The document, and what is missed."""
    best, judge = best_of_rounds(raw["runs"]), Judge()
    cells = list(dict.fromkeys(cell for cell, _, server in best if server in PEERS))
    resent, unexpected = (
        sum(run["figures"][key] for run in raw["runs"] if run["server"] == "signalbox") for key in WORST
    )
    ratios = [
        f"### {VARIANT_NAMES[variant].capitalize()}\n\n{against_best(best, cells, variant, judge)}"
        for variant in VARIANT_NAMES
    ]
    snapshot, scales = against_snapshot(best, cells, judge), scaling(best, judge)
    streams = per_stream(best, cells, judge)
    all_resent = judge.at_most(resent, 0, "resources that Signalbox sent again unchanged, in all runs")
    busy = "" if raw["load_average"] < 1.5 else " **Other work was going on: these figures are not to be relied on.**"
    rounds = "There is one round."
    if raw["rounds"] > 1:
        rounds = f"There are {raw['rounds']} rounds in opposite orders. Of each figure the best counts, for every one."
    misses = "\n".join(f"- {miss}" for miss in judge.misses)
    out_of_reach = "\n".join(f"- {miss}" for miss in judge.out_of_reach)
    text = f"""\
# Performance

Signalbox beside go-control-plane, under the same load on the same machine, in turn within one run. Written by
`Benchmarks/run`, not by hand; [Benchmarks](../Benchmarks/README.md) says how to run it again.

| | |
|---|---|
| date | {raw['date']} |
| command | `{raw['command']}` |
| machine | {raw['machine']} |
| system | {raw['system']} |
| Signalbox | {raw['signalbox']} |
| peer | {raw['peer']} |
| load average before | {raw['load_average']}.{busy} |

## What is missed

{misses or 'Nothing that can be met.'}

Out of reach for any server on sockets, on this machine and under this load: [floor](../Benchmarks/floor/floor.c) is one that
knows nothing, looks at the first bytes of a request and writes what was made beforehand, and it takes more.

{out_of_reach or '- Nothing.'}

## What is measured

A cell is a number of services, of 10 endpoints each, and a number of streams. Every stream has a connection of its own
and takes all clusters, endpoints, the listener and the routes; then one endpoint moves at a time, and the next one when
every stream has got it. *Propagation* is from just before the change is asked for until a stream has it; *last stream*
until all have it. CPU is user and system time of the server. The load generator runs on the same cores.

{rounds}
A server is started anew for each run. A slow one is changed fewer times, so that a run ends: its p99 is then nearer to
its maximum, or is it. The [variants of the peer](../Benchmarks/peers/README.md#variants) are each given their best
case; `snapshot` is what most users have. `floor` is no control plane, but what the kernel and the load take with any server.
CPU is counted in hundredths of a second.

{chr(10).join(f'### {VARIANT_NAMES[variant].capitalize()}, absolute{chr(10)}{chr(10)}{absolute(best, variant)}{chr(10)}'
              for variant in VARIANT_NAMES)}
## Against the best peer

The best of the three variants, for each figure by itself. A ratio of 0.2 is a fifth of the peer's. Here and below, *floor* is
the ratio that `floor` has; for what grows, the ratio if Signalbox had no more in the larger cell than what `floor` has more there;
for a change on a stream, its µs.

{(chr(10) * 2).join(ratios)}

## Against `snapshot`

{snapshot}

{scales}## A change on a stream

CPU of Signalbox by change and stream: the response, the write, the ACK. For comparison, one message and its answer on a
stream that does nothing else costs 61 µs with grpc-go and 65 to 80 µs with grpc-swift.

{streams}

## What is sent again

Resources that Signalbox sent again though the stream held them, in all runs: {resent} (at most 0: {all_resent}).
Resources that changed and were not touched: {unexpected}.
"""
    return text, judge
