"""Services that are registered with Nomad itself."""

from rig.processes import eventually
from target import NomadTest


class Services(NomadTest):
    def test_nothing_is_an_empty_list(self):
        self.assertEqual(self.get("/v1/services")[2], "[]")

    def test_an_unknown_service_is_an_empty_list_and_no_error(self):
        status, headers, body = self.get("/v1/service/nobody")
        self.assertEqual((status, body), (200, "[]"))
        self.assertGreater(int(headers["X-Nomad-Index"]), 0)

    def test_a_service_is_listed_by_namespace_and_by_name(self):
        allocation, = self.target.run("web")
        listed, meta = eventually(lambda: (found := self.go.services.list()) and found[0] and found)
        self.assertEqual([(each.namespace, [one.service_name for one in each.services]) for each in listed], [("default", ["web"])])
        self.assertTrue(meta.known_leader)
        registered, meta = self.go.services.get("web")
        self.assertEqual([each.alloc_id for each in registered], [allocation])
        one = registered[0]
        self.assertEqual((one.service_name, one.namespace, one.job_id, one.tags), ("web", "default", "web", None))
        self.assertEqual(one.id, f"_nomad-task-{allocation}-group-web-web-http")
        self.assertGreater(one.port, 0)
        self.assertGreaterEqual(meta.last_index, one.modify_index)
        self.assertTrue(one.node_id and one.datacenter and one.address)

    def test_an_allocation_tells_its_own_services(self):
        ids = self.target.run("web", 2)
        found = eventually(lambda: self.go.allocations.services(ids[1])[0])
        self.assertEqual([each.alloc_id for each in found], [ids[1]])

    def test_a_registration_can_be_deleted(self):
        self.target.run("web", 2)
        first, second = eventually(lambda: len(found := self.go.services.get("web")[0]) == 2 and found)
        self.assertGreater(self.go.services.delete("web", first.id).last_index, 0)
        self.assertEqual([each.id for each in self.go.services.get("web")[0]], [second.id])

    def test_a_few_can_be_chosen(self):
        self.target.run("web", 3)
        eventually(lambda: len(self.go.services.get("web")[0]) == 3)
        chosen = [[each.id for each in self.go.services.get("web", self.query(params={"choose": "2|me"}))[0]] for _ in range(3)]
        self.assertEqual(len(chosen[0]), 2)
        self.assertEqual(chosen[0], chosen[2])
        self.assertEqual(self.get("/v1/service/web?choose=x")[0], 400)

    def test_pages_have_tokens(self):
        self.target.run("web", 5)
        eventually(lambda: len(self.go.services.get("web")[0]) == 5)
        seen, token = [], ""
        while True:
            found, meta = self.go.services.get("web", self.query(per_page=2, next_token=token))
            seen += [each.id for each in found]
            token = meta.next_token
            if not token:
                break
        self.assertEqual(len(seen), 5)
        self.assertEqual(len(set(seen)), 5)

    def test_a_filter_chooses_and_a_bad_one_is_the_clients_fault(self):
        ids = self.target.run("web", 2)
        eventually(lambda: len(self.go.services.get("web")[0]) == 2)
        found, _ = self.go.services.get("web", self.query(filter=f'AllocID == "{ids[0]}"'))
        self.assertEqual([each.alloc_id for each in found], [ids[0]])
        self.assertEqual(self.get("/v1/service/web?filter=%3D%3D")[0], 400)

    def test_a_stopped_allocation_leaves(self):
        ids = self.target.run("web", 1)
        eventually(lambda: self.go.services.get("web")[0])
        self.target.stop(ids[0])
        eventually(lambda: ids[0] not in [each.alloc_id for each in self.go.services.get("web")[0]], 30)


class Namespaces(NomadTest):
    stand_in_only = True

    def test_a_service_belongs_to_one_namespace_and_all_can_be_asked_for(self):
        self.server.state.upsert("NamespaceUpsert", namespaces=[{"Name": "team-a", "Description": ""}])
        self.target.run("web")
        self.target.run("web", namespace="team-a")
        listed, _ = self.go.services.list(self.query(namespace="*"))
        self.assertEqual(sorted(each.namespace for each in listed), ["default", "team-a"])
        self.assertEqual(len(self.go.services.get("web")[0]), 1)
        found, _ = self.go.services.get("web", self.query(namespace="team-a"))
        self.assertEqual([each.namespace for each in found], ["team-a"])
        self.assertEqual({each.namespace for each in self.go.allocations.list(self.query(namespace="*"))[0]}, {"default", "team-a"})
        self.assertEqual({each.name for each in self.go.namespaces.list()[0]}, {"default", "team-a"})
