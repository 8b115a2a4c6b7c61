// SPDX-License-Identifier: Apache-2.0

import Catalog
import Testing

/// Which addresses a source may send requests to.
struct AddressRulesTests {
    private static func place(_ text: String) throws -> AddressRules.Place {
        try #require(AddressRules.Place(text))
    }

    private static func range(_ text: String) throws -> AddressRange {
        try #require(AddressRange(text))
    }

    @Test(
        arguments: [
            ("10.0.0.1", nil), ("192.168.1.1", nil), ("8.8.8.8", nil), ("2001:db8::1", nil), ("fd00::1", nil),
            ("240.0.0.1", .reserved), ("255.255.255.254", .reserved),
            ("126.255.255.255", nil), ("128.0.0.1", nil), ("169.253.0.1", nil), ("169.255.0.1", nil),
            ("fec0::1", .siteLocal), ("feff::1", .siteLocal),
            ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("::1", .loopback),
            ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("::", .unspecified),
            ("169.254.0.1", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
            ("169.254.169.254", .metadata), ("fd00:ec2::254", .metadata), ("fd20:ce::254", .metadata),
            ("169.254.170.2", .metadata), ("169.254.170.23", .metadata), ("169.254.170.3", .linkLocal),
            ("100.100.100.200", .metadata), ("168.63.129.16", .metadata), ("192.0.0.192", .metadata),
            ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("ff02::1", .multicast),
            ("255.255.255.255", .broadcast),
            ("::ffff:127.0.0.1", .loopback), ("::ffff:7f00:1", .loopback), ("::ffff:169.254.169.254", .metadata),
            ("::ffff:0.0.0.0", .unspecified), ("::127.0.0.1", .loopback), ("64:ff9b::a9fe:a9fe", .metadata),
            ("::ffff:10.0.0.1", nil), ("64:ff9b::10.0.0.1", nil), ("::ffff:255.255.255.255", .broadcast),
            ("::ffff:0:127.0.0.1", .loopback), ("::ffff:0:10.0.0.1", nil), ("::fffe:0:127.0.0.1", nil),
            ("64:ff9b:1::7f00:1", .loopback), ("64:ff9b:1:7f00:0:100::", .loopback), ("64:ff9b:1:17f:0:1::", .loopback),
            ("64:ff9b:1:1:7f:0:100::", .loopback), ("64:ff9b:1:a9fe:a9:fe00::", .metadata),
            ("64:ff9b:1::a00:1", nil), ("64:ff9b:1:a00:0:100::", nil), ("64:ff9b:1:1:a:0:100::", nil),
            ("64:ff9b:2::7f00:1", nil), ("64:ff9b::1:7f00:1", nil),
            ("2002:7f00:1::1", .loopback), ("2002:a9fe:a9fe::1", .metadata), ("2002:a00:1::1", nil),
            ("2003:7f00:1::1", nil),
            ("2001:0:0:0:0:0:80ff:fffe", .unspecified), ("2001:0:a00:1:0:0:80ff:fffe", .loopback),
            ("2001:0:7f00:1:0:0:f5ff:fffe", .loopback), ("2001:0:a00:1:0:0:f5ff:fffe", nil),
            ("2001:1:7f00:1:0:0:f5ff:fffe", nil),
            ("fd00::5efe:127.0.0.1", .loopback), ("fd00::200:5efe:a9fe:a9fe", .metadata), ("fd00::5efe:10.0.0.1", nil),
            ("", .notAnAddress), ("localhost", .notAnAddress), ("127.1", .notAnAddress), ("0177.0.0.1", .notAnAddress),
            ("2130706433", .notAnAddress), ("0x7f000001", .notAnAddress), ("fe80::1%eth0", .notAnAddress),
            ("10.0.0.1:80", .notAnAddress), ("[::1]", .notAnAddress), (" 10.0.0.1", .notAnAddress),
            ("10.0.0.1\0", .notAnAddress),
            ("１０.0.0.1", .notAnAddress), ("::ffff:127.0.0.01", .notAnAddress),
        ] as [(String, AddressRules.Refusal?)]
    )
    func `what is on no network of instances is refused`(address: String, refusal: AddressRules.Refusal?) {
        #expect(AddressRules().refusal(of: address, port: 80) == refusal)
    }

    @Test func `port 0 is refused`() {
        #expect(AddressRules().refusal(of: "10.0.0.1", port: 0) == .port)
        #expect(AddressRules().refusal(of: "10.0.0.1", port: 65535) == nil)
    }

    @Test func `what is allowed is taken, and what is denied is refused in any case`() throws {
        let rules = AddressRules(
            allowed: [try Self.place("127.0.0.0/8"), try Self.place("::1")],
            denied: ["127.0.0.1:9901", "10.1.0.0/16", "[2001:db8::1]:9901", "127.0.0.9"].compactMap(
                AddressRules.Place.init
            )
        )
        #expect(rules.denied.count == 4)
        #expect(rules.refusal(of: "127.0.0.1", port: 80) == nil)
        #expect(rules.refusal(of: "::ffff:127.0.0.1", port: 80) == nil)
        #expect(rules.refusal(of: "::1", port: 80) == nil)
        #expect(rules.refusal(of: "127.0.0.1", port: 9901) == .denied)
        #expect(rules.refusal(of: "::ffff:127.0.0.1", port: 9901) == .denied)
        #expect(rules.refusal(of: "127.0.0.9", port: 1) == .denied)
        #expect(rules.refusal(of: "10.1.2.3", port: 80) == .denied)
        #expect(rules.refusal(of: "2001:db8:0::1", port: 9901) == .denied)
        #expect(rules.refusal(of: "2001:db8::1", port: 9902) == nil)
        #expect(rules.refusal(of: "169.254.169.254", port: 80) == .metadata)
    }

    @Test(arguments: [
        ("169.254.169.254", "169.254.0.0/16"), ("169.254.169.254", "169.254.169.254/31"),
        ("169.254.169.254", "0.0.0.0/0"), ("169.254.169.254", "169.254.0.0/16:80"),
        ("169.254.170.2", "169.254.0.0/16"), ("::ffff:169.254.169.254", "169.254.0.0/16"),
        ("2002:a9fe:a9fe::1", "169.254.0.0/16"), ("100.100.100.200", "100.64.0.0/10"), ("fd00:ec2::254", "fd00::/8"),
        ("fd20:ce::254", "fd00::/8"), ("168.63.129.16", "168.63.129.0/24"), ("192.0.0.192", "192.0.0.0/24"),
    ])
    func `a range does not let in the metadata services that are in it`(address: String, range: String) throws {
        var rules = AddressRules(allowed: [try Self.place(range)])
        #expect(rules.refusal(of: address, port: 80) == .metadata)
        let parsed = try #require(IPAddress(address))
        let own = (parsed.embeddedVersion4.first ?? parsed).description
        for place in [
            own, own.contains(":") ? "\(own)/128" : "\(own)/32", own.contains(":") ? "[\(own)]:80" : "\(own):80",
        ] {
            rules.allowed = [try Self.place(range), try Self.place(place)]
            #expect(rules.refusal(of: address, port: 80) == nil, "\(place)")
        }
        #expect(rules.refusal(of: address, port: 81) == .metadata)
    }

    @Test func `each refusal has a cure that helps`() throws {
        #expect(AddressRules.Refusal.denied.cure(of: "10.0.0.1", port: 80).contains("--catalog-deny-addresses"))
        for refusal in [AddressRules.Refusal.metadata, .own, .unspecified, .broadcast] {
            #expect(!refusal.cure(of: "169.254.169.254", port: 80).contains("allow-addresses"))
        }
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::ffff:127.0.0.1", "127.0.0.1"), ("fe80::1", "fe80::1"),
        ("169.254.10.1", "169.254.10.1"), ("fec0:0::1", "fec0::1"), ("224.0.0.1", "224.0.0.1"), ("ff02::1", "ff02::1"),
        ("240.0.0.1", "240.0.0.1"), ("2002:7f00:1::1", "127.0.0.1"), ("2001:0:a00:1:0:0:80ff:fffe", "127.0.0.1"),
    ])
    func `a cure lets in what was refused and nothing else`(address: String, cured: String) throws {
        let refusal = try #require(AddressRules().refusal(of: address, port: 80))
        #expect(refusal.cure(of: address, port: 80).hasSuffix("(--catalog-allow-addresses \(cured))"))
        let place = try Self.place(cured)
        #expect(AddressRules(allowed: [place]).refusal(of: address, port: 80) == nil)
        #expect(AddressRange(try #require(IPAddress(cured))) == place.range)
    }

    @Test func `where Signalbox itself listens is refused for that reason, whatever is allowed`() throws {
        let own = AddressRules.reserved(host: "127.0.0.1", port: 18001, by: .signalbox)
        let rules = AddressRules(
            allowed: [try Self.place("127.0.0.0/8"), try Self.place("127.0.0.1:18001")],
            reserved: own
        )
        #expect(rules.refusal(of: "127.0.0.1", port: 18001) == .own)
        #expect(rules.refusal(of: "::ffff:127.0.0.1", port: 18001) == .own)
        #expect(rules.refusal(of: "127.0.0.1", port: 18002) == nil)
        #expect(rules.refusal(of: "127.0.0.2", port: 18001) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "127.9.9.9"), ("127.0.0.1", "::1"), ("localhost", "127.0.0.1"),
        ("::1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.9", "10.0.0.9"),
        ("10.0.0.9", "::ffff:10.0.0.9"), ("::ffff:10.0.0.9", "10.0.0.9"), ("2001:db8::9", "2001:db8:0::9"),
        ("10.0.0.9", "2002:a00:9::1"),
    ])
    func `an agent is refused by its name, unless it is allowed with its port`(host: String, address: String) throws {
        let allowed = [try Self.place("127.0.0.0/8"), try Self.place("::1"), try Self.place("10.0.0.0/8")]
        let owners = [AddressRules.Reserved.Owner.consul: AddressRules.Refusal.consul, .nomad: .nomad]
        for (owner, refusal) in owners {
            var rules = AddressRules(
                allowed: allowed,
                reserved: AddressRules.reserved(host: host, port: 8500, by: owner)
            )
            #expect(rules.refusal(of: address, port: 8500) == refusal)
            #expect(rules.refusal(of: address, port: 8501) == nil)
            for text in [
                "127.0.0.0/8:8500", "[::1]:8500", "10.0.0.9:8500", "[::ffff:0:0/96]:8500", "[2001:db8::9]:8500",
                "[2002::/16]:8500",
            ] {
                rules.allowed.append(try Self.place(text))
            }
            #expect(rules.refusal(of: address, port: 8500) == nil)
        }
    }

    @Test func `a host whose address is not known is none that anybody registers`() {
        #expect(AddressRules.reserved(host: "consul.example.com", port: 8500, by: .consul) == [])
    }

    @Test func `the admin interface of Envoy is refused where our bootstrap has it`() throws {
        var rules = AddressRules(allowed: [try Self.place("127.0.0.0/8")], reserved: AddressRules.envoyAdmin)
        #expect(rules.refusal(of: "127.0.0.1", port: 9901) == .envoyAdmin)
        #expect(rules.refusal(of: "::ffff:127.0.0.1", port: 9901) == .envoyAdmin)
        #expect(rules.refusal(of: "10.0.0.1", port: 9901) == nil)
        let cure = AddressRules.Refusal.envoyAdmin.cure(of: "127.0.0.1", port: 9901)
        #expect(cure.hasSuffix("(--catalog-allow-addresses 127.0.0.1:9901)"))
        rules.allowed.append(try Self.place("127.0.0.1:9901"))
        #expect(rules.refusal(of: "127.0.0.1", port: 9901) == nil)
        rules.denied.append(try Self.place("127.0.0.1:9901"))
        #expect(rules.refusal(of: "127.0.0.1", port: 9901) == .denied)
    }

    @Test func `a port that is allowed lets nothing else in`() throws {
        let rules = AddressRules(allowed: [try Self.place("127.0.0.1:8080")])
        #expect(rules.refusal(of: "127.0.0.1", port: 8080) == nil)
        #expect(rules.refusal(of: "127.0.0.1", port: 8081) == .loopback)
    }

    @Test(arguments: [
        "", "x", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "10.0.0.0/8/8", "/8", "10/8",
    ])
    func `what is no range is refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(arguments: ["10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536", "host:80", "[10.0.0.1", ":80", "10.0.0.1:x"])
    func `what is no denied address is refused`(text: String) {
        #expect(AddressRules.Place(text) == nil)
    }

    @Test func `a range contains what has its first bits`() throws {
        #expect(try Self.range("0.0.0.0/0").contains(#require(IPAddress("255.1.1.1"))))
        #expect(try !Self.range("0.0.0.0/0").contains(#require(IPAddress("::1"))))
        #expect(try Self.range("10.1.2.3/8").contains(#require(IPAddress("10.255.0.0"))))
        #expect(try !Self.range("10.0.0.0/9").contains(#require(IPAddress("10.128.0.0"))))
        #expect(try Self.range("fe80::/10").contains(#require(IPAddress("febf:ffff::"))))
        #expect(try Self.range("2001:db8::/65").contains(#require(IPAddress("2001:db8::7fff:0:0:1"))))
        #expect(try !Self.range("2001:db8::/65").contains(#require(IPAddress("2001:db8:0:0:8000::"))))
        #expect(try Self.range("::/0").contains(#require(IPAddress("ffff::"))))
    }
}

/// What of a service is let in.
struct InputRulesTests {
    private let rules = InputRules()

    @Test func `a bad address costs its instance and no other`() {
        let web = service(
            "web",
            [
                instance("a"), instance("b", at: "127.0.0.1", port: 9901), instance("c", at: "127.0.0.2"),
                instance("d", at: "web.internal"), instance("e", port: 0),
            ]
        )
        let (admitted, diagnostics) = self.rules.admit(web, from: .consul)
        #expect(admitted?.instances.map(\.id.rawValue) == ["a"])
        #expect(
            diagnostics.map(\.description)
                == [
                    "consul/d: error[SB311] service/web: the address web.internal port 80 of instance d is not an IP address; the "
                        + "instance is left out (register the instance with the IPv4 or IPv6 address that proxies reach it by)",
                    "consul/e: error[SB311] service/web: the address 10.0.0.1 port 0 of instance e has no port in 1...65535; the "
                        + "instance is left out (register the instance with the port that it listens on)",
                    "consul/b: error[SB311] service/web: the address 127.0.0.1 port 9901 of instance b is a loopback address; the "
                        + "instance is left out (and so for 1 more) (register the instance with the address that proxies reach "
                        + "it by; or, if that is it, put it into catalog.allow.addresses (--catalog-allow-addresses 127.0.0.1))",
                ].sorted { $0.split(separator: "address ")[1] < $1.split(separator: "address ")[1] }
        )
    }

    @Test(arguments: ["", "a\nb", "a\u{1B}[31m", "a\u{0}", "a\u{7F}", "a\u{9B}2J", String(repeating: "a", count: 256)])
    func `a service with a bad name is left out`(name: String) {
        let (admitted, diagnostics) = self.rules.admit(service(name, [instance("a")]), from: .nomad)
        #expect(admitted == nil)
        #expect(diagnostics.map(\.code) == ["SB312"])
        let controls = diagnostics.flatMap(\.description.unicodeScalars)
            .filter { $0.properties.generalCategory == .control }
        #expect(controls == [])
    }

    @Test(arguments: ["web", "web.v2", "Web_1", "ünïcode", "a b", "日本", String(repeating: "a", count: 255)])
    func `a name that Consul permits is let in`(name: String) {
        let web = service(name, [instance("a")])
        let (admitted, diagnostics) = self.rules.admit(web, from: .consul)
        #expect(admitted == web)
        #expect(diagnostics == [])
    }

    @Test func `texts that are too long or too many are left out, and the instance stays`() {
        var one = instance("a")
        one.tags = Set((0..<600).map { "t\($0)" })
        one.meta = ["k": String(repeating: "v", count: 4097), "good": "v", "bad\n": "v"]
        one.nodeMeta = Dictionary(uniqueKeysWithValues: (0..<300).map { ("k\($0)", "v") })
        one.locality.zone = "z\u{1B}"
        let (admitted, diagnostics) = self.rules.admit(service("web", [one, instance("b")]), from: .consul)
        let taken = admitted?.instances.first
        #expect(admitted?.instances.count == 2)
        #expect(taken?.tags == Set((0..<600).map { "t\($0)" }.sorted().prefix(512)))
        #expect(taken?.meta == ["good": "v"])
        #expect(taken?.nodeMeta.count == 256)
        #expect(taken?.locality.zone == "")
        #expect(diagnostics.map(\.severity) == [.warning])
        #expect(diagnostics.map(\.code) == ["SB312"])
    }

    @Test func `an ID that is used twice counts once`() {
        let twice = service("web", [instance("a"), instance("a", at: "10.0.0.2"), instance(""), instance("b\n")])
        let (admitted, diagnostics) = self.rules.admit(twice, from: .consul)
        #expect(admitted?.instances.map(\.id.rawValue) == ["a"])
        #expect(diagnostics.map(\.code) == ["SB312", "SB312"])
    }

    @Test func `what is told of an instance is one line, whatever it is called`() {
        var one = instance("a\n\u{1B}[2J\u{202E}\u{9B}", at: "127.0.0.1")
        one.origin = Origin(file: "consul:dc1/web/\(one.id.rawValue)")
        let (_, diagnostics) = self.rules.admit(service("web", [one]), from: .consul)
        let description = diagnostics.map(\.description).joined()
        #expect(
            description.hasPrefix(#"consul:dc1/web/a\n\u{1B}[2J\u{202E}\u{009B}: error[SB312] service/web: the ID"#)
        )
    }

    @Test func `all of a text is told, without what a terminal obeys`() {
        let long = String(repeating: "'é\\ \"", count: 100)
        #expect(long.inert == long)
        #expect((long + "\r\n\u{2028}\u{7F}").inert == long + #"\r\n\u{2028}\u{7F}"#)
    }

    @Test func `the guard reports what is left out for as long as it is`() {
        var guarded = CatalogGuard.consul()
        let api = instance("b", at: "10.0.9.9")
        guarded.complete([service("web", [instance("a", at: "::1")]), service("api", [api])], at: 0)
        #expect(guarded.inForce == ["web": [], "api": ["b"]])
        #expect(guarded.diagnostics.map(\.subject) == ["service/web"])
        _ = guarded.apply(.changed([service("api", [api, instance("c", port: 0)])]), at: .seconds(1))
        #expect(guarded.codes == ["SB311", "SB311"])
        _ = guarded.apply(.changed([service("web", [instance("a")])]), at: .seconds(2))
        #expect(guarded.diagnostics.map(\.subject) == ["service/api"])
        guarded.complete([service("web", [instance("a")])], at: 3)
        #expect(guarded.codes == ["SB303"])
    }

    @Test func `of many findings a hundred are shown`() {
        var guarded = CatalogGuard.consul()
        guarded.complete((1000..<1150).map { service("s\($0)", [instance("a", at: "::1")]) }, at: 0)
        #expect(guarded.diagnostics.count == 101)
        #expect(
            guarded.diagnostics.last?.message.hasPrefix(
                "50 more findings about services of consul are not shown; the first"
            )
                == true
        )
        #expect(guarded.diagnostics.last?.subject == "service/s1100")
    }
}
