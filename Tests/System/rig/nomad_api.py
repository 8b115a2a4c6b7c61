"""The endpoints of Nomad's HTTP API that tell of services, allocations, deployments, jobs and nodes."""

import asyncio
import hashlib
import random
import re
import time

from .nomad_acl import is_management, may, require
from .nomad_http import Answer, Refusal

DEFAULT_WAIT = MAXIMUM_WAIT = 300.0
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
STUB = (
    "ID", "EvalID", "Name", "Namespace", "NodeID", "NodeName", "JobID", "TaskGroup", "DesiredStatus",
    "DesiredDescription", "ClientStatus", "ClientDescription", "DeploymentStatus", "FollowupEvalID", "NextAllocation",
    "RescheduleTracker", "PreemptedAllocations", "PreemptedByAllocation", "CreateIndex", "ModifyIndex", "CreateTime",
    "ModifyTime",
)
NODE_STUB = (
    "ID", "Name", "Address", "Attributes", "Datacenter", "NodeClass", "NodePool", "Version", "Drain",
    "SchedulingEligibility", "Status", "StatusDescription", "Drivers", "HostVolumes", "LastDrain", "CreateIndex",
    "ModifyIndex",
)


def duration(text):
    """Seconds, of what Go writes as "1m30s"."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if text != "0" and "".join(number + unit for number, unit in parts) != text:
        raise Refusal(400, "Invalid wait time")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def stub(allocation, request):
    """What a list has: the job's version but no deployment's ID, the other way round from a whole allocation."""
    row = {name: allocation.get(name) for name in STUB}
    row |= {"JobType": allocation["Job"]["Type"], "JobVersion": allocation["Job"]["Version"], "TaskStates": None}
    if request.get("task_states", "true") != "false":
        row["TaskStates"] = allocation["TaskStates"]
    if request.get("resources") == "true":
        row["AllocatedResources"] = allocation["AllocatedResources"]
    return row


def matcher(text):
    """A filter of a few forms of https://developer.hashicorp.com/nomad/api-docs#filtering."""
    tests = []
    for part in re.split(r"\s+and\s+", text.strip()) if text else ():
        found = re.fullmatch(r'([A-Za-z]+)\s+(==|!=|contains)\s+"([^"]*)"', part) or re.fullmatch(
            r'"([^"]*)"\s+(in)\s+([A-Za-z]+)', part)
        if not found:
            raise Refusal(400, "Failed to read filter expression: 1:1 (0): no match found")
        left, verb, right = found.groups()
        if verb == "in":
            left, verb, right = right, "contains", left
        tests.append((left, verb, right))
    verbs = {"==": lambda a, b: str(a) == b, "!=": lambda a, b: str(a) != b, "contains": lambda a, b: b in (a or ())}
    return lambda row: all(verbs[verb](row.get(left), right) for left, verb, right in tests)


class API:
    """Answers requests from a State; `server` says what is broken now."""

    def __init__(self, server):
        self.server, self.waiters = server, {}
        self.routes = [(re.compile(path), methods) for path, methods in {
            r"/v1/services": {"GET": self.services},
            r"/v1/service/([^/]+)": {"GET": self.service},
            r"/v1/service/([^/]+)/([^/]+)": {"DELETE": self.delete_service},
            r"/v1/allocations": {"GET": self.allocations},
            r"/v1/allocation/([^/]+)": {"GET": self.allocation},
            r"/v1/(?:client/)?allocation/([^/]+)/checks": {"GET": self.checks},
            r"/v1/allocation/([^/]+)/services": {"GET": self.allocation_services},
            r"/v1/allocation/([^/]+)/stop": {"PUT": self.stop_allocation, "POST": self.stop_allocation},
            r"/v1/deployments": {"GET": self.deployments},
            r"/v1/deployment/(promote|fail)/([^/]+)": {"PUT": self.steer, "POST": self.steer},
            r"/v1/deployment/allocations/([^/]+)": {"GET": self.deployment_allocations},
            r"/v1/deployment/([^/]+)": {"GET": self.deployment},
            r"/v1/jobs": {"GET": self.jobs},
            r"/v1/job/(.+)/allocations": {"GET": self.job_allocations},
            r"/v1/job/(.+)/deployments": {"GET": self.job_deployments},
            r"/v1/job/(.+)/summary": {"GET": self.job_summary},
            r"/v1/job/(.+)": {"GET": self.job},
            r"/v1/nodes": {"GET": self.nodes},
            r"/v1/node/([^/]+)": {"GET": self.node},
            r"/v1/namespaces": {"GET": self.namespaces},
            r"/v1/regions": {"GET": self.regions},
            r"/v1/status/leader": {"GET": self.leader},
            r"/v1/agent/self": {"GET": self.agent},
            r"/v1/agent/health": {"GET": self.health},
            r"/v1/acl/token/self": {"GET": self.token},
            r"/v1/event/stream": {"GET": self.events},
            r"/\.well-known/jwks\.json": {"GET": self.jwks},
            r"/\.well-known/openid-configuration": {"GET": self.discovery},
        }.items()]

    @property
    def state(self):
        return self.server.state

    async def handle(self, request):
        await self.server.faults.meet(request)
        for pattern, methods in self.routes:
            if found := pattern.fullmatch(request.path):
                if request.method not in methods:
                    raise Refusal(405, "Invalid method")
                request.rights = self.server.tokens.resolve(request.token, request.is_task_api)
                return await methods[request.method](request, *found.groups())
        raise Refusal(404, "")

    # Blocking queries

    def wake(self, names):
        for name in names:
            for future in self.waiters.pop(name, ()):
                if not future.done():
                    future.set_result(None)

    async def ask(self, request, names, read):
        """Answers with `read()`, (index, body) or (index, body, next token), once its index is above the one asked
        for. A change of a row that is not among `names` raises a table's index and wakes nobody."""
        wait = duration(request.get("wait", "0"))
        asked = request.get("index") or "0"
        if not asked.isdecimal() or int(asked) >= 1 << 64:
            raise Refusal(400, "Invalid index")
        wait = min(wait, MAXIMUM_WAIT) if wait > 0 else DEFAULT_WAIT
        deadline = time.monotonic() + wait + random.uniform(0, wait / 16)
        self.reach(request)
        while True:
            future = asyncio.get_running_loop().create_future()
            with self.state.lock:
                index, body, *token = read()
                left = deadline - time.monotonic()
                if int(asked) == 0 or index > int(asked) or left <= 0:
                    break
                for name in (*names, "abandoned"):
                    self.waiters.setdefault(name, set()).add(future)
            try:
                await asyncio.wait_for(future, left)
            except TimeoutError:
                pass
            finally:
                for name in (*names, "abandoned"):
                    self.waiters.get(name, set()).discard(future)
            self.reach(request)
        headers = {"X-Nomad-Index": index, "X-Nomad-LastContact": 0, "X-Nomad-KnownLeader": "true"}
        if token and token[0]:
            headers["X-Nomad-NextToken"] = token[0]
        return Answer(body, headers=headers)

    def reach(self, request):
        """What stands between an agent and the state: a region that it knows, and a leader."""
        if request.get("region", self.server.region) not in ("", *self.server.regions):
            raise Refusal(500, "No path to region")
        if self.server.faults.no_leader and "stale" not in request.query:
            raise Refusal(500, "No cluster leader")

    def listing(self, request, table, shape, order=lambda row: row["ID"]):
        """A list endpoint: namespaces and the rights to them, prefix, filter, pages."""
        namespace, by_namespace = request.get("namespace") or "default", table != "nodes"
        if by_namespace and namespace != "*":
            require(may(request.rights, namespace))
        matches, prefix = matcher(request.get("filter")), request.get("prefix")
        per_page, reverse = int(request.get("per_page", "0") or 0), request.get("reverse") == "true"

        def read():
            if by_namespace and namespace == "*" and not is_management(request.rights) and not request.rights["namespaces"]:
                return 0, []  # Nomad leaves the index out of the answer that it gives to those who may see nothing.
            rows = self.state.tables[table].values()
            if order or reverse:
                rows = sorted(rows, key=order or (lambda row: row["CreateIndex"]), reverse=reverse)
            token = lambda row: f"{row.get('Namespace', '')}.{row['ID']}"  # noqa: E731
            found, start = [], request.get("next_token")
            for row in rows:
                if start and token(row) != start:
                    continue
                start = None
                visible = not by_namespace or row["Namespace"] == namespace or (
                    namespace == "*" and may(request.rights, row["Namespace"]))
                if visible and row["ID"].startswith(prefix) and matches(shaped := shape(row)):
                    if per_page and len(found) == per_page:
                        return self.state.indexes[table], found, token(row)
                    found.append(shaped)
            return self.state.indexes[table], found

        return self.ask(request, [(table,) if namespace == "*" or not by_namespace else (table, "in", namespace)], read)

    def one(self, request, table, key, missing, shape=lambda row: row):
        def read():
            row = self.state.get(table, key)
            if row is None:
                # Waits for it to appear, as the answer's index is the table's.
                return self.state.indexes[table], None
            return row["ModifyIndex"], shape(row)

        async def answer():
            reply = await self.ask(request, [(table, key)], read)
            if reply.body is None:
                raise Refusal(404, missing)
            return reply

        return answer()

    def readable(self, request, table, id, missing):
        """The row, if the token may read its namespace."""
        row = self.state.get(table, id)
        require(may(request.rights, row["Namespace"] if row else "default") or row is None)
        if row is None:
            raise Refusal(404, missing)
        return row

    # Services

    async def services(self, request):
        namespace = request.get("namespace") or "default"
        if namespace != "*":
            require(may(request.rights, namespace))

        def read():
            if namespace == "*" and not is_management(request.rights) and not request.rights["namespaces"]:
                return 0, []
            found = {}
            for row in self.state.tables["services"].values():
                if row["Namespace"] == namespace or namespace == "*" and may(request.rights, row["Namespace"]):
                    tags = found.setdefault(row["Namespace"], {}).setdefault(row["ServiceName"], {})
                    tags.update(dict.fromkeys(row["Tags"] or ()))
            return self.state.indexes["services"], [
                {"Namespace": name, "Services": [{"ServiceName": each, "Tags": list(tags)} for each, tags in named.items()]}
                for name, named in found.items()
            ]

        return await self.ask(request, [("services",) if namespace == "*" else ("services", "in", namespace)], read)

    async def service(self, request, name):
        namespace, choose = request.get("namespace") or "default", request.get("choose")
        require(may(request.rights, namespace))
        matches, per_page = matcher(request.get("filter")), int(request.get("per_page", "0") or 0)
        if choose and not re.fullmatch(r"\d+\|.*", choose):
            raise Refusal(400, "failed to choose services: malformed service choose parameter")

        def read():
            found = self.state.named.get((namespace, name), {})
            rows = sorted((row for row in found.values() if matches(row)), key=lambda row: row["ID"])
            rows = [row for row in rows if row["ID"] >= request.get("next_token").partition(".")[2]]
            following = None
            if per_page and len(rows) > per_page:
                following, rows = f"{namespace}.{rows[per_page]['ID']}", rows[:per_page]
            if choose:
                number, _, key = choose.partition("|")
                weigh = lambda row: hashlib.sha256((key + row["ID"]).encode()).digest()  # noqa: E731
                rows = sorted(rows, key=weigh, reverse=True)[:int(number)]
            return self.state.indexes["services"], rows, following

        return await self.ask(request, [("services", "named", namespace, name)], read)

    async def delete_service(self, request, name, id):
        row = self.state.get("services", id)
        require(may(request.rights, row["Namespace"] if row else "default", "submit-job"))
        self.reach(request)
        if row is None:
            raise Refusal(404, "service registration not found")
        index = self.state.delete("ServiceDeregistration", services=[row])
        return Answer(headers={"X-Nomad-Index": index})

    # Allocations

    async def allocations(self, request):
        # They are kept in the order in which they came, which is that of their pages.
        return await self.listing(request, "allocs", lambda row: stub(row, request), order=None)

    async def allocation(self, request, id):
        self.readable(request, "allocs", id, "alloc not found")
        return await self.one(request, "allocs", id, "alloc not found")

    async def checks(self, request, id):
        allocation = self.readable(request, "allocs", id, "alloc not found")
        node = self.state.get("nodes", allocation["NodeID"])
        if node is None or node["Status"] != "ready":
            raise Refusal(404, f'Unknown node "{allocation["NodeID"]}"' if node is None else "No path to node")
        return Answer(dict(self.server.checks.get(id, {})))

    async def allocation_services(self, request, id):
        self.readable(request, "allocs", id, "alloc not found")
        return await self.ask(request, [("services", "of", id)], lambda: (
            self.state.indexes["services"], [row for row in self.state.tables["services"].values() if row["AllocID"] == id]))

    async def stop_allocation(self, request, id):
        allocation = self.readable(request, "allocs", id, "alloc not found")
        require(may(request.rights, allocation["Namespace"], "alloc-lifecycle"))
        index = self.server.cluster.stop(id)
        return Answer({"EvalID": allocation["EvalID"], "Index": index}, headers={"X-Nomad-Index": index})

    # Deployments, jobs, nodes

    async def deployments(self, request):
        return await self.listing(request, "deployments", lambda row: row)

    async def deployment(self, request, id):
        self.readable(request, "deployments", id, "deployment not found")
        return await self.one(request, "deployments", id, "deployment not found")

    async def steer(self, request, verb, id):
        row = self.readable(request, "deployments", id, "deployment not found")
        require(may(request.rights, row["Namespace"], "submit-job"))
        index = getattr(self.server.cluster, verb)(id)
        return Answer({"EvalID": "", "EvalCreateIndex": index, "DeploymentModifyIndex": index, "Index": index,
                       "RevertedJobVersion": None}, headers={"X-Nomad-Index": index})

    async def deployment_allocations(self, request, id):
        self.readable(request, "deployments", id, "deployment not found")
        return await self.ask(request, [("allocs",)], lambda: (self.state.indexes["allocs"], [
            stub(row, request) for row in self.state.tables["allocs"].values() if row["DeploymentID"] == id]))

    async def jobs(self, request):
        names = ("ID", "ParentID", "Name", "Namespace", "Datacenters", "NodePool", "Type", "Priority", "Periodic",
                 "ParameterizedJob", "Stop", "Status", "StatusDescription", "CreateIndex", "ModifyIndex",
                 "JobModifyIndex", "SubmitTime", "Meta")
        return await self.listing(request, "jobs", lambda row: {name: row.get(name) for name in names})

    def _job(self, request, id):
        namespace = request.get("namespace") or "default"
        require(may(request.rights, namespace))
        return namespace, id

    async def job(self, request, id):
        return await self.one(request, "jobs", self._job(request, id), "job not found")

    async def job_allocations(self, request, id):
        key = self._job(request, id)
        return await self.ask(request, [("allocs", "job", *key)], lambda: (self.state.indexes["allocs"], [
            stub(row, request) for row in self.state.tables["allocs"].values() if (row["Namespace"], row["JobID"]) == key]))

    async def job_deployments(self, request, id):
        key = self._job(request, id)
        return await self.ask(request, [("deployments", "job", *key)], lambda: (self.state.indexes["deployments"], [
            row for row in self.state.tables["deployments"].values() if (row["Namespace"], row["JobID"]) == key]))

    async def job_summary(self, request, id):
        key = self._job(request, id)

        def read():
            groups = {}
            for row in self.state.tables["allocs"].values():
                if (row["Namespace"], row["JobID"]) == key:
                    group = groups.setdefault(row["TaskGroup"], dict.fromkeys(
                        ("Queued", "Complete", "Failed", "Running", "Starting", "Lost", "Unknown"), 0))
                    group[{"pending": "Starting"}.get(row["ClientStatus"], row["ClientStatus"].title())] += 1
            job = self.state.get("jobs", key)
            return self.state.indexes["allocs"], job and {
                "JobID": id, "Namespace": key[0], "Summary": groups, "Children": {"Pending": 0, "Running": 0, "Dead": 0},
                "CreateIndex": job["CreateIndex"], "ModifyIndex": job["ModifyIndex"]}

        answer = await self.ask(request, [("allocs", "job", *key), ("jobs", key)], read)
        if answer.body is None:
            raise Refusal(404, "job not found")
        return answer

    async def nodes(self, request):
        require(is_management(request.rights) or request.rights["node"])
        return await self.listing(request, "nodes", lambda row: {name: row.get(name) for name in NODE_STUB})

    async def node(self, request, id):
        require(is_management(request.rights) or request.rights["node"])
        return await self.one(request, "nodes", id, "node not found")

    # The rest

    async def namespaces(self, request):
        return await self.ask(request, [("namespaces",)], lambda: (self.state.indexes["namespaces"], [
            {"Quota": "", "Capabilities": None, "Meta": None} | row for row in self.state.tables["namespaces"].values()
            if is_management(request.rights) or request.rights["namespaces"].keys() & {"*", row["Name"]}]))

    async def regions(self, request):
        return Answer(sorted(self.server.regions))

    async def leader(self, request):
        self.reach(request)
        return Answer("\"127.0.0.1:4647\"", headers={"Content-Type": "application/json"})

    async def agent(self, request):
        require(is_management(request.rights) or request.rights["agent"])
        return Answer({
            "config": {"Region": self.server.region, "Datacenter": "dc1", "ACL": {"Enabled": self.server.tokens.enabled},
                       "Version": {"Version": self.server.version, "VersionPrerelease": "", "VersionMetadata": ""}},
            "member": {"Name": f"server.{self.server.region}", "Status": "alive",
                       "Tags": {"role": "nomad", "region": self.server.region, "build": self.server.version}},
            "stats": {"nomad": {"server": "true", "leader": str(not self.server.faults.no_leader).lower()}},
        })

    async def health(self, request):
        ok = not self.server.faults.no_leader
        body = {"client": {"ok": True, "message": "ok"}, "server": {"ok": ok, "message": "ok" if ok else "No cluster leader"}}
        return Answer(body, 200 if ok else 500)

    async def token(self, request):
        if not self.server.tokens.enabled:
            raise Refusal(400, "ACL support disabled")
        if request.token not in self.server.tokens.by_secret:
            raise Refusal(403, "ACL token not found" if request.token else "Permission denied")
        return Answer(self.server.tokens.described(request.token), headers={
            "X-Nomad-Index": 10, "X-Nomad-LastContact": 0, "X-Nomad-KnownLeader": "true"})

    async def jwks(self, request):
        return Answer(self.server.tokens.identities.jwks(), headers={"Cache-Control": "max-age=1800"})

    async def discovery(self, request):
        raise Refusal(404, "OIDC Discovery endpoint disabled")

    async def events(self, request):
        from .nomad_events import Stream

        return await Stream(self.server, request).run()
