"""What a Nomad server keeps: tables under one index, and the last events of it.

Facts from the source of Nomad 2.0.6-dev and https://developer.hashicorp.com/nomad/api-docs.
"""

import threading
from collections import deque

TABLES = ("services", "allocs", "deployments", "jobs", "nodes", "namespaces")
TOPICS = {"services": "Service", "allocs": "Allocation", "deployments": "Deployment", "jobs": "Job", "nodes": "Node"}
BUFFER = 100  # server.event_buffer_size


def key_of(table, row):
    if table == "jobs":
        return row["Namespace"], row["ID"]
    return row["Name"] if table == "namespaces" else row["ID"]


def names_of(table, row):
    """What a blocking query may wait for that a change of `row` wakes: the table, and rows of it."""
    yield (table,)
    yield table, key_of(table, row)
    if "Namespace" in row:
        yield table, "in", row["Namespace"]
    if table == "services":
        yield table, "named", row["Namespace"], row["ServiceName"]
        yield table, "of", row["AllocID"]
    if table in ("allocs", "deployments"):
        yield table, "job", row["Namespace"], row["JobID"]


def event(table, kind, index, row):
    filters = {"services": ("JobID", "ServiceName"), "allocs": ("JobID", "DeploymentID"), "deployments": ("JobID",)}
    keys = [row[name] for name in filters.get(table, ()) if row.get(name)]
    payload = {name: value for name, value in row.items() if (table, name) != ("allocs", "Job")}
    return {
        "Topic": TOPICS[table], "Type": kind, "Key": row["ID"], "Namespace": row.get("Namespace", ""),
        "FilterKeys": keys or None, "Index": index, "Payload": {TOPICS[table]: payload},
    }


class Buffer:
    """The events of the last changes. A reader names the place that it is at; one that fell out was too slow."""

    def __init__(self, size=BUFFER):
        self.size, self.first, self.items = size, 0, deque()

    def append(self, index, events):
        self.items.append((index, events))
        if len(self.items) > self.size:
            self.items.popleft()
            self.first += 1

    def place(self, index):
        """Where a reader begins that asked for `index`: at the closest one there is. 0 is the oldest."""
        if not index or not self.items:
            return self.first
        for offset, (each, _) in enumerate(self.items):
            if each >= index:
                return self.first + offset
        return self.first + len(self.items) - 1

    def read(self, place):
        """(what is at that place, or None if nothing is yet); raises LookupError if it is gone."""
        if place < self.first:
            raise LookupError("event dropped from buffer")
        offset = place - self.first
        return self.items[offset] if offset < len(self.items) else None


class State:
    """Rows are dictionaries in the API's own shape; nobody changes one in place."""

    def __init__(self, index=100, buffer=BUFFER):
        self.lock = threading.RLock()
        self.index, self.buffer = index, Buffer(buffer)
        self.tables = {table: {} for table in TABLES}
        self.indexes = {table: 1 for table in TABLES}
        self.named = {}  # registrations by namespace and service
        self.listeners = []  # called under the lock with the names that changed
        self.upsert("NamespaceUpsert", namespaces=[{"Name": "default", "Description": "Default shared namespace"}])

    def upsert(self, kind, **rows):
        return self.apply(kind, rows, {})

    def delete(self, kind, **rows):
        return self.apply(kind, {}, rows)

    def apply(self, kind, upserts, deletes=None):
        """One entry of the raft log: every row of it has the same index, and every event the same type."""
        with self.lock:
            self.index += 1
            changed, events = set(), []
            for table, rows in upserts.items():
                for row in rows:
                    key = key_of(table, row)
                    before = self.tables[table].get(key)
                    row = row | {"CreateIndex": (before or row).get("CreateIndex", self.index), "ModifyIndex": self.index}
                    self.tables[table][key] = row
                    if table == "services":
                        self.named.setdefault((row["Namespace"], row["ServiceName"]), {})[row["ID"]] = row
                    changed.update(names_of(table, row))
                    events += [event(table, kind, self.index, row)] if table in TOPICS else []
            for table, rows in (deletes or {}).items():
                for row in rows:
                    old = self.tables[table].pop(key_of(table, row), None)
                    if old is None:
                        continue
                    changed.update(names_of(table, old))
                    if table == "services":
                        self.named[old["Namespace"], old["ServiceName"]].pop(old["ID"], None)
                    # Garbage collection of allocations, deployments and jobs says nothing.
                    events += [event(table, kind, self.index, old)] if table in ("services", "nodes") else []
            for table in {name[0] for name in changed}:
                self.indexes[table] = self.index
            if events:
                self.buffer.append(self.index, events)
            for listener in self.listeners:
                listener(changed)
            return self.index

    def rows(self, table):
        with self.lock:
            return list(self.tables[table].values())

    def get(self, table, key):
        with self.lock:
            return self.tables[table].get(key)

    def restarted(self):
        """Events are in memory only: a server that starts has none."""
        with self.lock:
            self.buffer = Buffer(self.buffer.size)
