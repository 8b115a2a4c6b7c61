// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI
import NIOCore
import Testing

@testable import Discovery

struct ConsulConversionTests {
    /// What is read of a health answer that holds these entries.
    private static func reading(
        _ entries: String...,
        datacenter: String? = nil,
        with configuration: ConsulConfiguration = ConsulConfiguration()
    ) throws -> ConsulServiceReading {
        let body = "[" + entries.joined(separator: ",") + "]"
        let response = APIResponse(status: 200, index: 7, body: ByteBuffer(string: body))
        let query = ConsulQuery(.service("web"), datacenter: datacenter)
        let answer = try ConsulReader(configuration).read(response, to: query)
        guard case .service(let reading) = answer.content else { throw Unexpected() }
        return reading
    }

    private struct Unexpected: Error {}

    /// As Consul 1.8.7 writes it.
    private static func entry(
        node: String = #""Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1""#,
        service: String = #""ID": "web-1", "Service": "web", "Address": "10.1.0.1", "Port": 80"#,
        checks: String = ""
    ) -> String {
        #"{"Node": {\#(node)}, "Service": {\#(service)}, "Checks": [\#(checks)]}"#
    }

    private static func check(_ status: String, id: String = "c", service: String = "web-1") -> String {
        #"{"Node": "n1", "CheckID": "\#(id)", "Name": "", "Status": "\#(status)", "ServiceID": "\#(service)"}"#
    }

    @Test func `an instance that says so stays out, and a service whose instances all do is none`() throws {
        func entry(_ id: String, tags: String) -> String {
            Self.entry(
                service: #""ID": "\#(id)", "Service": "web", "Address": "10.1.0.1", "Port": 80, "Tags": [\#(tags)]"#
            )
        }
        let some = try Self.reading(
            entry("a", tags: #""v1""#),
            entry("b", tags: #""canary", "signalbox.enable=false""#),
            entry("c", tags: #""signalbox.enable=true", "signalbox.enable=false""#)
        )
        #expect(some.instances.map(\.id) == [InstanceID("a")])
        #expect(some.isOurs)
        #expect(some.count == 3)
        let none = try Self.reading(entry("b", tags: #""signalbox.enable=false""#))
        #expect(none.instances.isEmpty)
        #expect(!none.isOurs)
        let other = try Self.reading(
            entry("a", tags: #""signalbox.enable=false""#),
            entry("b", tags: #""edge.enable=false""#),
            with: ConsulConfiguration(tagPrefix: "edge.")
        )
        #expect(other.instances.map(\.id) == [InstanceID("a")])
    }

    @Test func `everything that an instance says is taken`() throws {
        let reading = try Self.reading(
            Self.entry(
                node: #""Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc1", "Meta": {"rack": "4"}"#,
                service: """
                    "ID": "web-1", "Service": "web", "Address": "10.1.0.1", "Port": 8080, "Tags": ["v1", "canary"],
                    "Meta": {"version": "1"}, "Weights": {"Passing": 5, "Warning": 2}, "Kind": "",
                    "Locality": {"Region": "eu", "Zone": "a"}
                    """,
                checks: Self.check("passing")
            )
        )
        let expected = Instance(
            id: InstanceID("web-1"),
            address: "10.1.0.1",
            port: 8080,
            weight: try #require(Weight(5)),
            tags: ["v1", "canary"],
            meta: ["version": "1"],
            health: .passing,
            locality: Locality(region: "eu", zone: "a"),
            datacenter: "dc1",
            node: "n1",
            nodeMeta: ["rack": "4"],
            origin: Origin(file: "consul:dc1/web/web-1")
        )
        #expect(reading.instances == [expected])
        #expect(reading.nodes == ["n1"])
        #expect(reading.diagnostics.isEmpty)
    }

    @Test func `what Go leaves out or writes as null is nothing`() throws {
        let reading = try Self.reading(
            Self.entry(
                node: #""ID": "", "Node": "n1", "Address": "10.0.0.1", "TaggedAddresses": null, "Meta": null"#,
                service: #""ID": "web-1", "Service": "web", "Tags": null, "Address": "", "Meta": null, "Port": 80"#
            )
        )
        let instance = try #require(reading.instances.first)
        #expect(instance.address == "10.0.0.1")
        #expect(instance.tags.isEmpty && instance.meta.isEmpty && instance.nodeMeta.isEmpty)
        #expect(instance.weight == .default)
        #expect(instance.health == .passing)
    }

    // MARK: Health

    @Test(arguments: [
        ([], Instance.Health.passing),
        (["passing"], .passing),
        (["passing", "warning"], .warning),
        (["warning", "critical", "passing"], .critical),
        (["maintenance"], .critical),
        (["something new"], .critical),
    ])
    func `an instance is as its worst check`(statuses: [String], health: Instance.Health) throws {
        let checks = statuses.map { Self.check($0) }.joined(separator: ",")
        let reading = try Self.reading(Self.entry(checks: checks))
        #expect(reading.instances.first?.health == health)
    }

    @Test func `a check of the node counts for what runs there`() throws {
        let reading = try Self.reading(Self.entry(checks: Self.check("critical", id: "serfHealth", service: "")))
        #expect(reading.instances.first?.health == .critical)
    }

    @Test func `a warning has a weight of its own`() throws {
        let service = #""ID": "web-1", "Service": "web", "Port": 80, "Weights": {"Passing": 9, "Warning": 0}"#
        let reading = try Self.reading(Self.entry(service: service, checks: Self.check("warning")))
        #expect(reading.instances.first?.weight.value == 0)
    }

    @Test(arguments: [(-1, 0), (65535, 65535), (65536, 65535)])
    func `weights are kept within their range`(given: Int, taken: Int) throws {
        let service = #""ID": "web-1", "Service": "web", "Port": 80, "Weights": {"Passing": \#(given), "Warning": 1}"#
        #expect(try Self.reading(Self.entry(service: service)).instances.first?.weight.value == taken)
    }

    @Test(arguments: [
        (ConsulConfiguration.RoutedHealth.passing, "warning", Instance.Health.critical),
        (.passing, "passing", .passing),
        (.warning, "warning", .warning),
        (.warning, "critical", .critical),
        (.any, "critical", .warning),
        (.any, "warning", .warning),
    ])
    func `which states have requests is a setting`(
        setting: ConsulConfiguration.RoutedHealth,
        status: String,
        health: Instance.Health
    ) throws {
        let entry = Self.entry(checks: Self.check(status))
        #expect(try Self.reading(entry, with: .init(routedHealth: setting)).instances.first?.health == health)
    }

    @Test(arguments: ["_node_maintenance", "_service_maintenance:web-1"])
    func `maintenance has no requests, whatever the setting`(check: String) throws {
        let entry = Self.entry(checks: Self.check("critical", id: check))
        #expect(try Self.reading(entry, with: .init(routedHealth: .any)).instances.first?.health == .critical)
    }

    @Test func `without a check of its own an instance is critical, where one is required`() throws {
        let nodeOnly = Self.check("passing", id: "serfHealth", service: "")
        let required = ConsulConfiguration(requiresCheck: true)
        #expect(try Self.reading(Self.entry(checks: nodeOnly), with: required).instances.first?.health == .critical)
        let both = nodeOnly + "," + Self.check("passing")
        #expect(try Self.reading(Self.entry(checks: both), with: required).instances.first?.health == .passing)
    }

    // MARK: Addresses

    @Test(arguments: [
        (ConsulConfiguration.AddressChoice.service, nil as String?, "10.1.0.1", 80),
        (.tagged("lan"), nil, "10.2.0.1", 80),
        (.tagged("wan"), nil, "192.0.2.1", 8080),
        (.tagged("other"), nil, "10.1.0.1", 80),
        (.service, "dc2", "192.0.2.1", 8080),
    ])
    func `the address is the one that was chosen, and the wide one for what is far`(
        choice: ConsulConfiguration.AddressChoice,
        datacenter: String?,
        address: String,
        port: UInt16
    ) throws {
        let service = """
            "ID": "web-1", "Service": "web", "Address": "10.1.0.1", "Port": 80, "TaggedAddresses":
            {"lan": {"Address": "10.2.0.1", "Port": 0}, "wan": {"Address": "192.0.2.1", "Port": 8080}}
            """
        let reading = try Self.reading(
            Self.entry(service: service),
            datacenter: datacenter,
            with: .init(address: choice)
        )
        #expect(reading.instances.first?.address == address)
        #expect(reading.instances.first?.port == port)
    }

    @Test func `the node's wide address stands in for the node's address and for no other`() throws {
        let node = #""Node": "n1", "Address": "10.0.0.1", "TaggedAddresses": {"wan": "192.0.2.9"}"#
        let own = try Self.reading(Self.entry(node: node), datacenter: "dc2")
        #expect(own.instances.first?.address == "10.1.0.1")
        let service = #""ID": "web-1", "Service": "web", "Port": 80"#
        let none = try Self.reading(Self.entry(node: node, service: service), datacenter: "dc2")
        #expect(none.instances.first?.address == "192.0.2.9")
    }

    @Test(arguments: [
        (#""Address": "db.example.com", "Port": 80"#, "SB352"),
        (#""Address": "fe80::1%eth0", "Port": 80"#, "SB352"),
        (#""Address": "10.0.0.1", "Port": 0"#, "SB352"),
        (#""Address": "10.0.0.1", "Port": 70000"#, "SB352"),
        (#""Address": "10.0.0.1", "Port": -5"#, "SB352"),
        (#""Address": "10.0.0.1", "Port": "80""#, "SB351"),
    ])
    func `what cannot be reached is left out, and the rest is kept`(place: String, code: String) throws {
        let bad = Self.entry(service: #""ID": "web-2", "Service": "web", \#(place)"#)
        let reading = try Self.reading(Self.entry(), bad, bad)
        #expect(reading.instances.map(\.id.rawValue) == ["web-1"])
        #expect(reading.count == 3)
        #expect(reading.diagnostics.map(\.code) == [code])
        #expect(reading.diagnostics.first?.message.contains("2 instances") == true)
        // What cannot be read has no ID for sure.
        let place = code == "SB352" ? "consul:dc1/web/web-2" : "consul:dc1/web"
        #expect(reading.diagnostics.first?.origin == Origin(file: place))
        #expect(reading.diagnostics.first?.message.contains("web-2 is the first") == (code == "SB352"))
    }

    @Test func `an IPv6 address is an address`() throws {
        let service = #""ID": "web-1", "Service": "web", "Address": "2001:db8::1", "Port": 80"#
        #expect(try Self.reading(Self.entry(service: service)).instances.first?.address == "2001:db8::1")
    }

    // MARK: Identity

    @Test func `an ID that two nodes chose is told apart by the node`() throws {
        let other = Self.entry(node: #""Node": "n2", "Address": "10.0.0.2", "Datacenter": "dc1""#)
        let third = Self.entry(service: #""ID": "web-9", "Service": "web", "Port": 80"#)
        let reading = try Self.reading(Self.entry(), other, third)
        #expect(reading.instances.map(\.id.rawValue) == ["n1/web-1", "n2/web-1", "web-9"])
    }

    @Test func `the proxies of a mesh are no instances`() throws {
        let proxy = #""ID": "web-proxy", "Service": "web", "Port": 20000, "Kind": "connect-proxy"#
        let reading = try Self.reading(Self.entry(service: proxy + "\""))
        #expect(reading.instances.isEmpty)
        #expect(!reading.isOurs)
        #expect(reading.count == 1)
        #expect(try Self.reading(Self.entry(), Self.entry(service: proxy + "\"")).isOurs)
    }

    // MARK: Limits

    @Test func `tags and meta that are too long are left out`() throws {
        let long = String(repeating: "x", count: ConsulConversion.maximumText + 1)
        let service = """
            "ID": "web-1", "Service": "web", "Port": 80, "Tags": ["\(long)", "v1"],
            "Meta": {"\(long)": "a", "b": "\(long)", "c": "d"}
            """
        let reading = try Self.reading(Self.entry(service: service))
        #expect(reading.instances.first?.tags == ["v1"])
        #expect(reading.instances.first?.meta == ["c": "d"])
        #expect(reading.diagnostics.map(\.code) == ["SB355"])
    }

    @Test func `no text of theirs steers a terminal`() throws {
        let service = #""ID": "web-1", "Service": "web", "Address": "\u001b[2Jx\n", "Port": 80"#
        let message = try #require(try Self.reading(Self.entry(service: service)).diagnostics.first?.message)
        #expect(message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
}
