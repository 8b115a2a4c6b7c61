"""What Nomad's scheduler and its clients do, one step at a time or on their own clock."""

import json
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass, field

from .nomad_acl import moment


@dataclass
class Wish:
    """A service of a job: provider "nomad" or "consul"."""

    name: str
    provider: str = "nomad"
    tags: list = field(default_factory=list)
    canary_tags: list = None
    label: str = "http"
    checks: bool = False
    task: str = None  # None: the group's

    def id(self, allocation):
        of = self.task or f"group-{allocation['TaskGroup']}"
        return f"_nomad-task-{allocation['ID']}-{of}-{self.name}-{self.label}"


class Cluster:
    """Decisions are entries in the state. `consul`: something with register(dict) and deregister(id)."""

    def __init__(self, server):
        self.server, self.consul = server, None
        self.wishes, self.places, self.timers = {}, {}, set()
        self.registered = {}  # allocation -> IDs that Consul has

    @property
    def state(self):
        return self.server.state

    # Nodes

    def node(self, name="client-1", id=None, datacenter="dc1", address="127.0.0.1"):
        row = {
            "ID": id or str(uuid.uuid4()), "Name": name, "Address": address, "Attributes": None, "Datacenter": datacenter,
            "NodeClass": "", "NodePool": "default", "Version": self.server.version, "Drain": False, "DrainStrategy": None,
            "SchedulingEligibility": "eligible", "Status": "ready", "StatusDescription": "", "Drivers": {},
            "HostVolumes": None, "LastDrain": None,
        }
        self.state.upsert("NodeRegistration", nodes=[row])
        return row["ID"]

    def _node(self, id, kind, **changes):
        return self.state.upsert(kind, nodes=[self.state.get("nodes", id) | changes])

    def drain(self, id, deadline=3600):
        """The node is marked; then the drainer marks allocations to migrate, and the scheduler stops those."""
        self._node(id, "NodeDrain", Drain=True, SchedulingEligibility="ineligible",
                   DrainStrategy={"Deadline": int(deadline * 1e9), "IgnoreSystemJobs": False})
        return [row["ID"] for row in self.on(id)]

    def undrain(self, id, eligible=True):
        return self._node(id, "NodeDrain", Drain=False, DrainStrategy=None,
                          SchedulingEligibility="eligible" if eligible else "ineligible")

    def ineligible(self, id):
        return self._node(id, "NodeEligibility", SchedulingEligibility="ineligible")

    def lose(self, id):
        """A client that is not heard any more: the server drops its registrations and gives up its allocations."""
        self._node(id, "NodeStreamEvent", Status="down")
        if rows := [row for row in self.state.rows("services") if row["NodeID"] == id]:
            self.state.delete("ServiceDeregistration", services=rows)
        return self._allocations("PlanResult", [row["ID"] for row in self.on(id)], DesiredStatus="stop", ClientStatus="lost",
                                 DesiredDescription="alloc is lost since its node is down")

    def on(self, node):
        return [row for row in self.state.rows("allocs") if row["NodeID"] == node and row["DesiredStatus"] == "run"]

    # Jobs

    def run(self, job, places, services=(), group="web", namespace="default", node=None, canaries=0, auto_revert=False,
            healthy=True, deployment=True, meta=None, settle=True):
        """Registers a version of the job and places an allocation at each of `places`, (address, port). With `canaries`
        what ran before stays, and these wait for `promote`; else what ran before is stopped. Returns allocation IDs."""
        before = self.state.get("jobs", (namespace, job))
        version = before["Version"] + 1 if before else 0
        node = node or next(iter(self.state.tables["nodes"]), None) or self.node()
        services = [Wish(each) if isinstance(each, str) else each for each in services]
        now = time.time_ns()
        row = {
            "Region": self.server.region, "Namespace": namespace, "ID": job, "Name": job, "ParentID": "", "Type": "service",
            "Priority": 50, "Datacenters": ["dc1"], "NodePool": "default", "Meta": meta, "Status": "running", "Stable": False,
            "StatusDescription": "", "Version": version, "Stop": False, "SubmitTime": now, "Periodic": None,
            "ParameterizedJob": None, "JobModifyIndex": self.state.index + 1,
            "TaskGroups": [{"Name": group, "Count": len(places), "Tasks": [{"Name": "server", "Driver": "exec"}], "Services": [
                {"Name": each.name, "Tags": each.tags, "CanaryTags": each.canary_tags, "PortLabel": each.label,
                 "AddressMode": "auto", "Provider": each.provider, "Checks": None, "Meta": None} for each in services]}],
        }
        self.state.upsert("JobRegistered", jobs=[row])
        row = self.state.get("jobs", (namespace, job))
        old = [each["ID"] for each in self.of(job, namespace)]
        plan, deployed = {}, None
        if deployment:
            deployed = {
                "ID": str(uuid.uuid4()), "Namespace": namespace, "JobID": job, "JobVersion": version,
                "JobModifyIndex": row["JobModifyIndex"], "JobSpecModifyIndex": row["JobModifyIndex"],
                "JobCreateIndex": row["CreateIndex"], "IsMultiregion": False, "Status": "running",
                "StatusDescription": "Deployment is running" + (" but requires manual promotion" if canaries else ""),
                "CreateTime": now, "ModifyTime": now,
                "TaskGroups": {group: {
                    "PlacedCanaries": None, "AutoRevert": auto_revert, "AutoPromote": False, "ProgressDeadline": 600 * 10**9,
                    "RequireProgressBy": moment(time.time() + 600), "Promoted": False, "DesiredCanaries": canaries,
                    "DesiredTotal": len(places), "PlacedAllocs": len(places), "HealthyAllocs": 0, "UnhealthyAllocs": 0}},
            }
        allocations = [
            self._allocation(row, group, index, node, deployed, canaries > 0) for index in range(len(places))]
        for allocation, place in zip(allocations, places):
            self.wishes[allocation["ID"]], self.places[allocation["ID"]] = services, place
        if deployed:
            if canaries:
                deployed["TaskGroups"][group]["PlacedCanaries"] = [each["ID"] for each in allocations]
            plan["deployments"] = [deployed]
        plan["allocs"] = allocations
        self.state.upsert("PlanResult", **plan)
        ids = [each["ID"] for each in allocations]
        if settle:
            for id in ids:
                self.started(id)
            if deployed and healthy:
                self.healthy(ids)
            if not canaries:
                for id in old:
                    self.stop(id)
                if deployed and healthy:
                    self._deployment(deployed["ID"], "DeploymentStatusUpdate", "successful")
        return ids

    def crowd(self, services, each, job="crowd"):
        """So many services, each with so many running allocations of one job. Returns the allocations' IDs."""
        node = self.node()
        self.state.upsert("JobRegistered", jobs=[{
            "Region": self.server.region, "Namespace": "default", "ID": job, "Name": job, "Type": "service", "Version": 0,
            "Status": "running", "Stop": False, "Datacenters": ["dc1"], "JobModifyIndex": self.state.index + 1,
            "TaskGroups": [{"Name": "web", "Count": services * each, "Services": []}]}])
        row, ids = self.state.get("jobs", ("default", job)), []
        for number in range(services):
            wish = Wish(f"service-{number}")
            found = [self._allocation(row, "web", number * each + index, node, None, False) for index in range(each)]
            found = [allocation | {"ClientStatus": "running"} for allocation in found]
            self.state.upsert("PlanResult", allocs=found)
            for index, allocation in enumerate(found):
                self.wishes[allocation["ID"]] = [wish]
                self.places[allocation["ID"]] = (f"10.{1 + number // 250}.{number % 250}.{1 + index}", 8080)
            ids += [allocation["ID"] for allocation in found]
            self.state.upsert("ServiceRegistration", services=[self._registration(each, wish) for each in found])
        return ids

    def _registration(self, allocation, wish, tags=()):
        address, port = self.places[allocation["ID"]]
        return {
            "ID": wish.id(allocation), "ServiceName": wish.name, "Namespace": allocation["Namespace"],
            "NodeID": allocation["NodeID"], "Datacenter": "dc1", "JobID": allocation["JobID"], "AllocID": allocation["ID"],
            "Tags": list(tags) or None, "Address": address, "Port": port,
        }

    def _allocation(self, job, group, index, node, deployed, canary):
        id, now = str(uuid.uuid4()), time.time_ns()
        return {
            "ID": id, "Namespace": job["Namespace"], "EvalID": str(uuid.uuid4()), "Name": f"{job['ID']}.{group}[{index}]",
            "NodeID": node, "NodeName": self.state.get("nodes", node)["Name"], "JobID": job["ID"], "Job": job,
            "TaskGroup": group, "Resources": None, "AllocatedResources": {"Tasks": {"server": {
                "Cpu": {"CpuShares": 100}, "Memory": {"MemoryMB": 64, "MemoryMaxMB": 0}, "Networks": None, "Devices": None}},
                "Shared": {"DiskMB": 300, "Networks": None, "Ports": None}},
            "NetworkStatus": None, "DeploymentID": deployed["ID"] if deployed else "",
            "DeploymentStatus": {"Healthy": None, "Timestamp": None, "Canary": True, "ModifyIndex": 0} if canary else None,
            "DesiredStatus": "run", "DesiredDescription": "", "ClientStatus": "pending", "ClientDescription": "",
            "DesiredTransition": {"Migrate": None, "Reschedule": None, "ForceReschedule": None, "NoShutdownDelay": None},
            "TaskStates": None, "FollowupEvalID": "", "NextAllocation": "", "PreviousAllocation": "",
            "RescheduleTracker": None, "PreemptedAllocations": None, "PreemptedByAllocation": "",
            "AllocModifyIndex": 0, "CreateTime": now, "ModifyTime": now,
        }

    def of(self, job, namespace="default"):
        return [row for row in self.state.rows("allocs")
                if (row["JobID"], row["Namespace"], row["DesiredStatus"]) == (job, namespace, "run")]

    # What a client tells of its allocations

    def _allocations(self, kind, ids, **changes):
        with self.state.lock:
            now = time.time_ns()
            return self.state.upsert(kind, allocs=[
                self.state.get("allocs", id) | changes | {"ModifyTime": now} for id in ids])

    def client_status(self, id, status, failed=False):
        state = {"pending": "pending", "running": "running"}.get(status, "dead")
        task = {"State": state, "Failed": failed, "Restarts": 0, "LastRestart": None, "StartedAt": moment(time.time()),
                "FinishedAt": moment(time.time()) if state == "dead" else None, "Events": []}
        return self._allocations("AllocationUpdated", [id], ClientStatus=status, TaskStates={"server": task},
                                 ClientDescription=f"Tasks are {status}")

    def started(self, id):
        self.client_status(id, "running")
        self.register(id)

    def register(self, id):
        allocation, (address, port) = self.state.get("allocs", id), self.places[id]
        canary = (allocation["DeploymentStatus"] or {}).get("Canary", False)
        native = []
        for wish in self.wishes[id]:
            tags = wish.canary_tags if canary and wish.canary_tags is not None else wish.tags
            if wish.provider == "nomad":
                native.append(self._registration(allocation, wish, tags))
                if wish.checks:
                    self.check(id, wish.name, "pending")
            else:
                self.registered.setdefault(id, []).append(wish.id(allocation))
                self.consul.register({"ID": wish.id(allocation), "Name": wish.name, "Tags": tags, "Address": address,
                                      "Port": port, "Meta": {"external-source": "nomad"}})
        if native:
            self.state.upsert("ServiceRegistration", services=native)

    def check(self, id, service, status, output="", mode="healthiness"):
        """The client's result of a check of a native service: "success", "failure" or "pending"."""
        key = uuid.uuid5(uuid.NAMESPACE_OID, id + service).hex
        allocation = self.state.get("allocs", id)
        self.server.checks.setdefault(id, {})[key] = {
            "ID": key, "Mode": mode, "Status": status, "Output": output, "Timestamp": int(time.time()),
            "Group": f"{allocation['Name']}", "Service": service, "Check": f"service: \"{service}\" check"}

    def deregister(self, id):
        """At the start of an allocation's end, before `shutdown_delay`."""
        if rows := [row for row in self.state.rows("services") if row["AllocID"] == id]:
            self.state.delete("ServiceDeregistration", services=rows)
        for each in self.registered.pop(id, ()):
            self.consul.deregister(each)

    # The end of an allocation

    def stop(self, id, deregister_after=0.0, shutdown_delay=0.0, zombie=False, desired="stop", why="alloc not needed"):
        """Decided at once; the client deregisters its services after so many seconds, and kills it `shutdown_delay`
        after that. A zombie's registrations stay. Returns the index of the decision."""
        index = self._allocations("PlanResult", [id], DesiredStatus=desired, DesiredDescription=why)
        self.after(deregister_after, lambda: zombie or self.deregister(id))
        self.after(deregister_after + shutdown_delay, lambda: self.client_status(id, "complete"))
        return index

    def evict(self, id, **options):
        return self.stop(id, desired="evict", why="preempted by a job of higher priority", **options)

    def migrate(self, id):
        """The drainer's mark, before the scheduler stops the allocation."""
        transition = self.state.get("allocs", id)["DesiredTransition"] | {"Migrate": True}
        return self._allocations("AllocationUpdateDesiredStatus", [id], DesiredTransition=transition)

    def fail_allocation(self, id, zombie=False):
        self.client_status(id, "failed", failed=True)
        zombie or self.deregister(id)

    def unknown(self, id):
        """Its client is disconnected, and may come back."""
        return self._allocations("PlanResult", [id], ClientStatus="unknown")

    def collect(self):
        """Garbage collection of what has ended; nothing is said of it on the event stream."""
        gone = [row for row in self.state.rows("allocs") if row["ClientStatus"] in ("complete", "failed", "lost")]
        return self.state.delete("EvalDelete", allocs=gone)

    # Deployments

    def deployment_of(self, id):
        return self.state.get("allocs", id)["DeploymentID"]

    def _deployment(self, id, kind, status=None, groups=None, allocs=()):
        with self.state.lock:
            row = self.state.get("deployments", id)
            described = "Deployment " + ("completed successfully" if status == "successful" else f"is {status}")
            changes = {"Status": status, "StatusDescription": described} if status else {}
            groups = {name: group | (groups or {}) for name, group in row["TaskGroups"].items()}
            row = row | changes | {"TaskGroups": groups, "ModifyTime": time.time_ns()}
            return self.state.upsert(kind, deployments=[row], **({"allocs": allocs} if allocs else {}))

    def healthy(self, ids, healthy=True):
        with self.state.lock:
            rows = [self.state.get("allocs", id) for id in ids]
            for row in rows:
                before = row["DeploymentStatus"] or {"Canary": False}
                status = before | {"Healthy": healthy, "Timestamp": moment(time.time()), "ModifyIndex": self.state.index + 1}
                deployment, name = row["DeploymentID"], "HealthyAllocs" if healthy else "UnhealthyAllocs"
                group = self.state.get("deployments", deployment)["TaskGroups"][row["TaskGroup"]]
                self._deployment(deployment, "AllocationUpdated", groups={name: group[name] + 1},
                                 allocs=[row | {"DeploymentStatus": status}])

    def promote(self, deployment):
        """The canaries become the job: they keep running, what ran before is stopped."""
        row = self.state.get("deployments", deployment)
        canaries = [self.state.get("allocs", id) for group in row["TaskGroups"].values() for id in group["PlacedCanaries"] or ()]
        index = self._deployment(deployment, "DeploymentPromotion", groups={"Promoted": True}, allocs=[
            each | {"DeploymentStatus": each["DeploymentStatus"] | {"Canary": False}} for each in canaries])
        kept = {each["ID"] for each in canaries}
        for id in kept:  # the tags of a canary give way to the others
            self.register(id)
        for each in self.of(row["JobID"], row["Namespace"]):
            if each["ID"] not in kept:
                self.stop(each["ID"])
        self._deployment(deployment, "DeploymentStatusUpdate", "successful")
        return index

    def fail(self, deployment):
        """The canaries are stopped, and with `auto_revert` the version before runs again as a new one."""
        index = self._deployment(deployment, "DeploymentStatusUpdate", "failed")
        row = self.state.get("deployments", deployment)
        for group in row["TaskGroups"].values():
            for id in group["PlacedCanaries"] or ():
                self.stop(id)
            if group["AutoRevert"]:
                job = self.state.get("jobs", (row["Namespace"], row["JobID"]))
                self.state.upsert("JobRegistered", jobs=[job | {"Version": job["Version"] + 1, "Stable": True}])
        return index

    # Time

    def after(self, seconds, act):
        if seconds <= 0:
            act()
            return
        timer = threading.Timer(seconds, lambda: (self.timers.discard(timer), act()))
        timer.daemon = True
        self.timers.add(timer)
        timer.start()

    def cancel(self):
        for timer in list(self.timers):
            timer.cancel()
        self.timers.clear()


class Consul:
    """Registers with a Consul agent as a Nomad client does."""

    def __init__(self, url, token=None):
        self.url, self.headers = url, {"X-Consul-Token": token} if token else {}

    def _put(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        request = urllib.request.Request(self.url + path, data=data, headers=self.headers, method="PUT")
        urllib.request.urlopen(request, timeout=5).close()

    def register(self, service):
        self._put("/v1/agent/service/register", service)

    def deregister(self, id):
        self._put(f"/v1/agent/service/deregister/{id}")
