"""Allocations, deployments, jobs and nodes."""

from rig.processes import eventually
from target import NomadTest


class Allocations(NomadTest):
    def test_a_list_has_the_jobs_version_and_no_deployment(self):
        id, = self.target.run("web")
        one, = [each for each in self.go.allocations.list()[0] if each.id == id]
        self.assertEqual((one.job_id, one.task_group, one.job_version, one.namespace), ("web", "web", 0, "default"))
        self.assertEqual((one.desired_status, one.client_status), ("run", "running"))
        self.assertEqual(one.name, "web.web[0]")
        self.assertTrue(one.node_id and one.node_name and one.create_time > 10**18)
        self.assertIsNone(one.allocated_resources)
        raw = [each for each in self.python.allocations.get_allocations() if each["ID"] == id][0]
        self.assertNotIn("DeploymentID", raw)
        self.assertNotIn("Job", raw)
        self.assertIn("server", raw["TaskStates"])

    def test_tasks_and_resources_are_optional(self):
        self.target.run("web")
        self.assertIn('"TaskStates":null', self.get("/v1/allocations?task_states=false")[2])
        found, _ = self.go.allocations.list(self.query(params={"resources": "true"}))
        self.assertIsNotNone(found[0].allocated_resources)

    def test_a_whole_allocation_has_its_job_and_its_deployment(self):
        id, = self.target.run("web")
        one, meta = self.go.allocations.info(id)
        self.assertEqual((one.id, one.job.id, one.job.version), (id, "web", 0))
        self.assertEqual(one.task_group, "web")
        self.assertTrue(one.deployment_id)
        self.assertEqual(self.python.allocation.get_allocation(id)["ID"], id)
        self.assertIn(id, self.python.allocation)

    def test_an_unknown_one_is_not_found(self):
        unknown = "/v1/allocation/00000000-0000-0000-0000-000000000000"
        self.assertEqual(self.get(unknown)[::2], (404, "alloc not found"))
        self.assertEqual(self.get(unknown.replace("allocation", "deployment"))[::2], (404, "deployment not found"))
        self.assertEqual(self.get("/v1/job/nobody")[::2], (404, "job not found"))

    def test_the_decision_to_stop_comes_before_the_end(self):
        id, = self.target.run("web")
        self.go.allocations.stop(id)
        eventually(lambda: self.go.allocations.info(id)[0].desired_status == "stop")
        eventually(lambda: self.go.allocations.info(id)[0].client_status == "complete", 30)

    def test_a_deployment_succeeds(self):
        id, = self.target.run("web")
        done = eventually(lambda: [each for each in self.go.deployments.list()[0] if each.status == "successful"], 30)[0]
        self.assertEqual((done.job_id, done.job_version), ("web", 0))
        self.assertEqual(done.task_groups["web"].healthy_allocs, 1)
        self.assertEqual([each.id for each in self.go.deployments.allocations(done.id)[0]], [id])
        self.assertEqual(self.python.deployment.get_deployment(done.id)["JobID"], "web")

    def test_a_canary_is_one_until_it_is_promoted(self):
        first, = self.target.run("web")
        canary, = self.target.run("web", canaries=1, services=["web", "extra"])
        one = eventually(lambda: (found := self.go.allocations.info(canary)[0]).deployment_status.healthy and found, 30)
        self.assertTrue(one.deployment_status.canary)
        deployment = self.go.deployments.info(one.deployment_id)[0]
        group = deployment.task_groups["web"]
        self.assertEqual((group.promoted, group.desired_canaries, group.placed_canaries), (False, 1, [canary]))
        self.assertEqual((deployment.job_version, deployment.status), (1, "running"))
        self.python.deployment.promote_deployment_all(deployment.id)
        eventually(lambda: self.go.deployments.info(deployment.id)[0].status == "successful", 30)
        self.assertTrue(self.go.deployments.info(deployment.id)[0].task_groups["web"].promoted)
        self.assertFalse(self.go.allocations.info(canary)[0].deployment_status.canary)
        eventually(lambda: self.go.allocations.info(first)[0].desired_status == "stop", 30)
        self.assertEqual(self.go.allocations.info(canary)[0].desired_status, "run")

    def test_a_failed_deployment_takes_its_canaries_back(self):
        first, = self.target.run("web")
        canary, = self.target.run("web", canaries=1, services=["web", "extra"])
        deployment = self.go.allocations.info(canary)[0].deployment_id
        self.go.deployments.fail(deployment)
        self.assertEqual(self.go.deployments.info(deployment)[0].status, "failed")
        eventually(lambda: self.go.allocations.info(canary)[0].desired_status == "stop", 30)
        self.assertEqual(self.go.allocations.info(first)[0].desired_status, "run")

    def test_jobs_and_nodes(self):
        id, = self.target.run("web")
        self.assertEqual([each.id for each in self.go.jobs.list()[0]], ["web"])
        self.assertEqual(self.python.job.get_job("web")["TaskGroups"][0]["Services"][0]["Provider"], "nomad")
        self.assertEqual([each["ID"] for each in self.python.job.get_allocations("web")], [id])
        self.assertEqual(self.python.job.get_summary("web")["Summary"]["web"]["Running"], 1)
        self.assertEqual(self.python.job.get_deployments("web")[0]["JobID"], "web")
        node, = self.go.nodes.list()[0]
        self.assertEqual((node.status, node.drain, node.scheduling_eligibility), ("ready", False, "eligible"))
        self.assertEqual(self.python.node.get_node(node.id)["Name"], node.name)

    def test_a_prefix_finds_some(self):
        ids = self.target.run("web", 4)
        prefix = ids[0][:4]
        found = self.go.allocations.prefix_list(prefix)[0]
        self.assertEqual({each.id for each in found}, {each for each in ids if each.startswith(prefix)})


class Decisions(NomadTest):
    stand_in_only = True

    def test_an_evicted_a_lost_and_a_failed_one(self):
        evicted, failed = self.target.run("web", 2)
        self.target.cluster.evict(evicted)
        self.target.cluster.fail_allocation(failed)
        self.assertEqual(self.go.allocations.info(evicted)[0].desired_status, "evict")
        self.assertEqual(self.go.allocations.info(failed)[0].client_status, "failed")
        self.assertEqual(self.go.services.get("web")[0], [])
        other = self.target.cluster.node("client-2")
        lost, = self.target.run("other", node=other)
        self.target.cluster.lose(other)
        one = self.go.allocations.info(lost)[0]
        self.assertEqual((one.desired_status, one.client_status), ("stop", "lost"))
        self.assertEqual(self.go.services.get("other")[0], [])

    def test_a_drain_marks_the_node_and_then_its_allocations(self):
        id, = self.target.run("web")
        node = self.go.allocations.info(id)[0].node_id
        self.assertEqual(self.target.cluster.drain(node), [id])
        self.assertTrue(self.go.nodes.info(node)[0].drain)
        self.assertEqual(self.go.nodes.list()[0][0].scheduling_eligibility, "ineligible")
        self.target.cluster.migrate(id)
        self.assertTrue(self.go.allocations.info(id)[0].desired_transition.should_migrate())

    def test_checks_are_asked_of_the_client(self):
        from rig.nomad_cluster import Wish

        id, = self.target.run("web", services=[Wish("web", checks=True)])
        check, = self.go.allocations.checks(id).values()
        self.assertEqual((check.status, check.mode, check.service), ("pending", "healthiness", "web"))
        self.target.cluster.check(id, "web", "failure", "connection refused")
        check, = self.go.allocations.checks(id).values()
        self.assertEqual((check.status, check.output), ("failure", "connection refused"))
        self.target.cluster.lose(self.go.allocations.info(id)[0].node_id)
        self.assertEqual(self.get(f"/v1/allocation/{id}/checks")[0], 404)

    def test_what_has_ended_is_collected_in_silence(self):
        id, = self.target.run("web")
        self.target.cluster.stop(id)
        self.target.cluster.collect()
        self.assertEqual(self.get(f"/v1/allocation/{id}")[0], 404)
