// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI
import Testing

/// Answers as Consul writes them.
@Suite struct ConsulDecodingTests {
    /// As Consul 1.8.7 answers, with what newer ones add.
    static let instance = """
        {"Node": {"ID": "40e4a748", "Node": "n1", "Address": "10.1.10.12", "Datacenter": "dc1",
            "TaggedAddresses": {"lan": "10.1.10.12", "wan": "1.2.3.4"}, "Meta": {"zone": "a"},
            "Locality": {"Region": "eu", "Zone": "eu-1"}, "CreateIndex": 1, "ModifyIndex": 2},
         "Service": {"ID": "web-1", "Service": "web", "Tags": ["v1", "urlprefix-/"], "Address": "10.1.10.13",
            "TaggedAddresses": {"wan": {"Address": "1.2.3.5", "Port": 80}}, "Meta": {"version": "1"}, "Port": 8000,
            "Weights": {"Passing": 10, "Warning": 2}, "EnableTagOverride": true, "Namespace": "default",
            "Proxy": {"MeshGateway": {}, "Expose": {}}, "Connect": {}, "CreateIndex": 3, "ModifyIndex": 4},
         "Checks": [
            {"Node": "n1", "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing", "Notes": "",
             "Output": "Agent alive and reachable", "ServiceID": "", "ServiceName": "", "ServiceTags": [],
             "Type": "", "Definition": {}, "CreateIndex": 1, "ModifyIndex": 1},
            {"Node": "n1", "CheckID": "service:web-1", "Name": "HTTP", "Status": "warning", "Notes": "",
             "Output": "429", "ServiceID": "web-1", "ServiceName": "web", "ServiceTags": ["v1"]}]}
        """

    @Test func `an instance is read`() throws {
        let listing = try response("[\(Self.instance)]").list(of: ConsulServiceInstance.self)
        #expect(listing.unreadable.isEmpty)
        let instance = try #require(listing.elements.first)
        #expect(instance.node.id == "40e4a748" && instance.node.name == "n1")
        #expect(instance.node.address == "10.1.10.12" && instance.node.datacenter == "dc1")
        #expect(instance.node.taggedAddresses == ["lan": "10.1.10.12", "wan": "1.2.3.4"])
        #expect(instance.node.meta == ["zone": "a"] && instance.node.locality?.region == "eu")
        #expect(instance.service.id == "web-1" && instance.service.name == "web")
        #expect(instance.service.tags == ["v1", "urlprefix-/"] && instance.service.meta == ["version": "1"])
        #expect(instance.service.address == "10.1.10.13" && instance.service.port == 8000)
        #expect(instance.service.taggedAddresses["wan"]?.address == "1.2.3.5")
        #expect(instance.service.taggedAddresses["wan"]?.port == 80)
        #expect(instance.service.weights.passing == 10 && instance.service.weights.warning == 2)
        #expect(instance.service.namespace == "default")
        #expect(instance.checks.map(\.id) == ["serfHealth", "service:web-1"])
        #expect(instance.checks.map(\.status) == ["passing", "warning"])
        #expect(instance.checks.map(\.serviceID) == ["", "web-1"])
    }

    @Test func `a node that was registered from outside has little`() throws {
        let body = """
            [{"Node": {"ID": "", "Node": "ext", "Address": "1.1.1.1", "Datacenter": "dc1", "TaggedAddresses": null,
                "Meta": null},
              "Service": {"ID": "x", "Service": "x", "Tags": [], "Address": "", "Meta": null, "Port": 0,
                "Weights": {"Passing": 1, "Warning": 1}}, "Checks": []}]
            """
        let instance = try #require(try response(body).list(of: ConsulServiceInstance.self).elements.first)
        #expect(instance.node.taggedAddresses.isEmpty && instance.service.taggedAddresses.isEmpty)
        #expect(instance.service.address.isEmpty && instance.service.port == 0)
    }

    @Test func `services are a map to their tags`() throws {
        let map = try response(#"{"consul": [], "web": ["a", "b"], "odd": null, "bad": {"x": 1}}"#).map(
            of: Strings.self
        )
        #expect(map.values.mapValues(\.elements) == ["consul": [], "web": ["a", "b"], "odd": []])
        #expect(map.unreadable.reasons == ["\"bad\": bad is no list"])
    }

    @Test func `keys have bytes`() throws {
        let body = """
            [{"LockIndex": 2, "Key": "a/b", "Flags": 18446744073709551615, "Value": "aGkA/w==", "CreateIndex": 1,
              "ModifyIndex": 9, "Session": "s"}, {"Key": "a/", "Value": null}, {"Key": "bad", "Value": "%%"}]
            """
        let listing = try response(body).list(of: ConsulKV.self)
        #expect(listing.elements.map(\.key) == ["a/b", "a/"])
        let pair = try #require(listing.elements.first)
        #expect(pair.value == [104, 105, 0, 255])
        #expect(pair.modifyIndex == 9)
        #expect(listing.elements.last?.value == [])
        #expect(listing.unreadable.count == 1)
    }

    @Test func `config entries keep their bytes`() throws {
        let first = #"{"Kind":"service-router","Name":"we]b","Routes":[{"Match":{"a":"}\"],"}}], "ModifyIndex":7}"#
        let second = #"{ "Name" : "api", "Kind":"service-router" , "X": "\\" }"#
        let body = "[ \(first) ,\n\t\(second), {\"Kind\": 1, \"Name\": \"odd\"}, [[1], {}], \"a,\\\",b\", 7 ]"
        let (entries, unreadable, names) = try ConsulConfigEntry.list(response(body))
        #expect(entries.map(\.name) == ["we]b", "api"])
        #expect(entries.map { String(decoding: $0.json, as: UTF8.self) } == [first, second])
        #expect(entries.map(\.kind) == ["service-router", "service-router"])
        #expect(entries.first?.modifyIndex == 7)
        #expect(unreadable.count == 4)
        #expect(unreadable.reasons.first?.hasPrefix("\"odd\": ") == true)
        #expect(names == ["odd"])
        for empty in ["[]", " [ ] ", "null"] {
            #expect(try ConsulConfigEntry.list(response(empty)).entries.isEmpty)
        }
    }

    @Test func `an agent says who it is`() throws {
        let body = """
            {"Config": {"Datacenter": "dc1", "PrimaryDatacenter": "dc0", "NodeName": "n1", "NodeID": "i", "Server": true,
             "Revision": "x", "Version": "1.17.2+ent"}, "DebugConfig": {}, "Member": {}, "Meta": null}
            """
        let agent = try response(body).value(of: ConsulAgent.self)
        #expect(agent.version == "1.17.2+ent" && agent.isEnterprise)
        #expect(agent.datacenter == "dc1" && agent.nodeName == "n1")
    }

    @Test func `a login brings a token`() throws {
        let body = """
            {"AccessorID": "a", "SecretID": "sesame", "Description": "", "Policies": [{"ID": "i", "Name": "read"}],
             "AuthMethod": "nomad", "Local": true, "ExpirationTime": "2030-01-01T00:00:00Z"}
            """
        let token = try response(body).value(of: ConsulToken.self)
        #expect(token.secretID.value == "sesame")
        #expect(!"\(token)".contains("sesame"))
    }
}
