// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import NIOCore
import Testing

/// Answers as Nomad writes them.
@Suite struct NomadDecodingTests {
    private static let registration = """
        {"ID": "_nomad-task-a1-web-http", "ServiceName": "web", "Namespace": "default", "NodeID": "n", "Datacenter": "dc1",
         "JobID": "web", "AllocID": "a1", "Tags": null, "Address": "10.0.0.1", "Port": 23456, "CreateIndex": 5,
         "ModifyIndex": 6}
        """

    @Test func `services come by namespace`() throws {
        let body =
            #"[{"Namespace": "default", "Services": [{"ServiceName": "web", "Tags": ["a"]}]}, {"Services": null}]"#
        let lists = try response(body).list(of: NomadServiceList.self).elements
        #expect(lists.map(\.namespace) == ["default", ""])
        #expect(lists.first?.services.map(\.name) == ["web"])
        #expect(lists.first?.services.map(\.tags) == [["a"]])
    }

    @Test func `a registration is read`() throws {
        let listing = try response("[\(Self.registration)]").list(of: NomadServiceRegistration.self)
        let registration = try #require(listing.elements.first)
        #expect(registration.serviceName == "web" && registration.allocationID == "a1" && registration.tags.isEmpty)
        #expect(registration.address == "10.0.0.1" && registration.port == 23456 && registration.modifyIndex == 6)
    }

    @Test func `an allocation is read from a list, and whole`() throws {
        let body = """
            [{"ID": "a1", "EvalID": "e", "Name": "web.app[0]", "Namespace": "default", "NodeID": "n", "NodeName": "n1",
              "JobID": "web", "JobType": "service", "JobVersion": 3, "TaskGroup": "app", "DesiredStatus": "run",
              "ClientStatus": "running",
              "TaskStates": {"t": {"State": "running", "Failed": false, "Restarts": 2, "Events": []}},
              "DeploymentStatus": {"Healthy": null, "Timestamp": "0001-01-01T00:00:00Z", "Canary": true, "ModifyIndex": 0},
              "NextAllocation": "", "CreateIndex": 10, "ModifyIndex": 11, "CreateTime": 1700000000000000000},
             {"ID": "a2", "JobID": "web", "Job": {"Version": 4, "Type": "service", "TaskGroups": []}, "DeploymentID": "d",
              "DeploymentStatus": null, "TaskStates": null, "DesiredTransition": {"Migrate": true, "Reschedule": null},
              "NextAllocation": "a3"}]
            """
        let allocations = try response(body).list(of: NomadAllocation.self).elements
        #expect(allocations.map(\.jobVersion) == [3, 4])
        #expect(allocations.map(\.deploymentID) == [nil, "d"])
        #expect(allocations.map(\.isCanary) == [true, false])
        #expect(allocations.map(\.isToMigrate) == [false, true])
        #expect(allocations.map(\.modifyIndex) == [11, 0])
    }

    @Test func `checks are a map by their hashes`() throws {
        let body = """
            {"c1": {"ID": "c1", "Mode": "healthiness", "Status": "success", "StatusCode": 200, "Output": "ok",
             "Timestamp": 1700000000, "Group": "web.app[0]", "Task": "t", "Service": "web", "Check": "alive"}}
            """
        let check = try #require(try response(body).map(of: NomadAllocationCheck.self).values["c1"])
        #expect(check.mode == "healthiness" && check.status == "success" && check.service == "web")
    }

    @Test func `a deployment is read`() throws {
        let body = """
            [{"ID": "d", "Namespace": "default", "JobID": "web", "JobVersion": 4, "Status": "running",
              "StatusDescription": "Deployment is running", "CreateIndex": 1, "ModifyIndex": 2,
              "TaskGroups": {"app": {"PlacedCanaries": ["a1"], "AutoRevert": true, "ProgressDeadline": 600000000000,
                "RequireProgressBy": null, "Promoted": true, "DesiredCanaries": 1, "DesiredTotal": 3,
                "PlacedAllocs": 1, "HealthyAllocs": 0, "UnhealthyAllocs": 1}, "other": {"PlacedCanaries": null}}}]
            """
        let deployment = try #require(try response(body).list(of: NomadDeployment.self).elements.first)
        #expect(deployment.jobVersion == 4 && deployment.modifyIndex == 2)
        #expect(deployment.groups.mapValues(\.isPromoted) == ["app": true, "other": false])
    }

    @Test func `nodes and agents are read`() throws {
        let nodes = try response(
            """
            [{"ID": "n", "Name": "n1", "Drain": false, "Status": "ready", "SchedulingEligibility": "eligible"},
             {"ID": "m", "DrainStrategy": {"Deadline": 1}, "ModifyIndex": 3}]
            """
        ).list(of: NomadNode.self).elements
        #expect(nodes.map(\.name) == ["n1", ""] && nodes.map(\.modifyIndex) == [0, 3])
        let body =
            #"{"config": {"Region": "eu", "Datacenter": "dc1", "Version": {"Version": "1.9.3", "VersionMetadata": "ent"}}}"#
        let agent = try response(body).value(of: NomadAgent.self)
        #expect(agent.version == "1.9.3" && agent.isEnterprise && agent.region == "eu")
        #expect(try response(#"{"config": {"Version": "0.8.0"}}"#).value(of: NomadAgent.self).version == "0.8.0")
    }

    @Test func `events carry what they are about`() throws {
        let line = """
            {"Index": 7, "Events": [
             {"Topic": "Service", "Type": "ServiceDeregistration", "Key": "_nomad-task-a1-web-http", "Namespace": "default",
              "FilterKeys": ["web", "web"], "Index": 7, "Payload": {"Service": \(Self.registration)}},
             {"Topic": "Allocation", "Type": "AllocationUpdated", "Key": "a1", "FilterKeys": null, "Index": 7,
              "Payload": {"Allocation": {"ID": "a1", "JobID": "web", "DesiredStatus": "stop", "ClientStatus": "running"}}},
             {"Topic": "Evaluation", "Type": "EvaluationUpdated", "Key": "e", "Index": 7, "Payload": {"Evaluation": {}}},
             {"Topic": "Deployment", "Type": "DeploymentPromotion", "Key": "d", "Index": 7,
              "Payload": {"Deployment": {"ID": 7}}},
             {"Topic": "Node", "Type": "NodeDrain", "Key": "n", "Index": 7, "Payload": {"Node": {"ID": "n"}}}]}
            """
        let events = try NomadEvents.line(ByteBuffer(string: line))
        #expect(events.index == 7 && !events.isHeartbeat)
        #expect(events.events.map(\.topic) == ["Service", "Allocation", "Evaluation", "Node"])
        #expect(events.unreadable.reasons == ["element 3: Events.Payload.Deployment.ID is no text"])
        guard case .service(let registration) = events.events.first?.payload else {
            Issue.record("no registration")
            return
        }
        #expect(registration.allocationID == "a1")
        #expect(try NomadEvents.line(ByteBuffer(string: "{}")).isHeartbeat)
        #expect(throws: APIError.self) { try NomadEvents.line(ByteBuffer(string: "[]")) }
    }
}
