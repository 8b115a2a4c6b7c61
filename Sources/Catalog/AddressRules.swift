// SPDX-License-Identifier: Apache-2.0

/// Which addresses a source may send requests to. Whoever can register a service chooses an address and a port, and
/// proxies then connect there with the rights of their machine: to their own admin listener, to what listens on
/// loopback because it trusts the machine, or to a cloud's metadata.
///
/// In this order: what is denied is refused; what is allowed is taken; what is on no network of instances (loopback,
/// unspecified, link-local, multicast, broadcast, metadata services) is refused; the rest is taken. An IPv4 address that
/// is written as IPv6 is judged as both.
package struct AddressRules: Hashable, Sendable {
    /// Addresses, and one port of them or all.
    package struct Denied: Hashable, Sendable {
        package var range: AddressRange
        /// Nil: every port.
        package var port: UInt16?
        /// Whether it is where Signalbox itself listens, and no setting of the operator's.
        package var isOwn: Bool

        package init(_ range: AddressRange, port: UInt16? = nil, isOwn: Bool = false) {
            self.range = range
            self.port = port
            self.isOwn = isOwn
        }

        /// `10.0.0.0/8`, `192.0.2.1`, `192.0.2.1:9901`, `[2001:db8::1]:9901`, `10.0.0.0/8:9901`. Nil for anything else.
        package init?(_ text: String) {
            if let range = AddressRange(text) {
                self.init(range)
                return
            }
            guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
                let port = UInt16(text[text.utf8.index(after: colon)...]), port > 0
            else { return nil }
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard let range = AddressRange(String(host)) else { return nil }
            self.init(range, port: port)
        }
    }

    /// Why an address is refused. The raw value is stable.
    package enum Refusal: String, Hashable, Sendable, CaseIterable {
        case notAnAddress = "not-an-address"
        case port
        case denied
        case own
        case loopback
        case unspecified
        case linkLocal = "link-local"
        case multicast
        case broadcast
        case metadata
    }

    package var allowed: [AddressRange]
    package var denied: [Denied]

    package init(allowed: [AddressRange] = [], denied: [Denied] = []) {
        self.allowed = allowed
        self.denied = denied
    }

    /// Nil: it may be used.
    package func refusal(of address: String, port: UInt16) -> Refusal? {
        guard let parsed = IPAddress(address) else { return .notAnAddress }
        guard port > 0 else { return .port }
        guard let embedded = parsed.embeddedVersion4 else { return self.refusal(of: parsed, port: port) }
        return self.refusal(of: embedded, port: port) ?? self.refusal(of: parsed, port: port)
    }

    private func refusal(of address: IPAddress, port: UInt16) -> Refusal? {
        if let denied = self.denied.first(where: { $0.port ?? port == port && $0.range.contains(address) }) {
            return denied.isOwn ? .own : .denied
        }
        if self.allowed.contains(where: { $0.contains(address) }) { return nil }
        return address.isVersion4 ? Self.refusal(version4: address.low) : Self.refusal(version6: address)
    }

    /// https://www.iana.org/assignments/iana-ipv4-special-registry
    private static func refusal(version4 bits: UInt64) -> Refusal? {
        switch bits >> 24 {
        case 0: return .unspecified
        case 127: return .loopback
        case 169 where bits >> 16 == 0xA9FE: return bits == 0xA9FE_A9FE ? .metadata : .linkLocal
        case 224...239: return .multicast
        // Metadata of Alibaba (100.100.100.200), Azure (168.63.129.16) and Oracle (192.0.0.192).
        case 100 where bits == 0x6464_64C8, 168 where bits == 0xA83F_8110, 192 where bits == 0xC000_00C0:
            return .metadata
        case 255 where bits == 0xFFFF_FFFF: return .broadcast
        default: return nil
        }
    }

    /// https://www.iana.org/assignments/iana-ipv6-special-registry
    private static func refusal(version6 address: IPAddress) -> Refusal? {
        if address.high == 0, address.low <= 1 { return address.low == 0 ? .unspecified : .loopback }
        if address.high >> 54 == 0xFE80 >> 6 { return .linkLocal }
        if address.high >> 56 == 0xFF { return .multicast }
        // Amazon's own services: metadata (fd00:ec2::254), credentials of pods (fd00:ec2::23) and whatever comes next.
        if address.high >> 32 == 0xFD00_0EC2 { return .metadata }
        // Metadata of Google (fd20:ce::254).
        return address.high == 0xFD20_00CE_0000_0000 && address.low == 0x254 ? .metadata : nil
    }
}

extension AddressRules.Refusal {
    /// Goes on from "the address 127.0.0.1:80 of instance x ".
    var words: String {
        switch self {
        case .notAnAddress: "is not an IP address"
        case .port: "has no port in 1...65535"
        case .denied: "is denied by catalog.deny.addresses"
        case .own: "is where Signalbox itself listens"
        case .loopback: "is a loopback address"
        case .unspecified: "is an unspecified address"
        case .linkLocal: "is a link-local address"
        case .multicast: "is a multicast address"
        case .broadcast: "is a broadcast address"
        case .metadata: "is that of a cloud's metadata service"
        }
    }

    /// - Parameter address: what is refused.
    package func cure(of address: String) -> String {
        let reachable = "register the instance with the address that proxies reach it by"
        return switch self {
        case .notAnAddress: "register the instance with the IPv4 or IPv6 address that proxies reach it by"
        case .port: "register the instance with the port that it listens on"
        case .denied:
            "register the instance with another address, or take this one out of catalog.deny.addresses "
                + "(--catalog-deny-addresses)"
        case .own: "register the instance with the address and port of the service; nothing can allow this one"
        case .loopback: Self.allowing(address, version4: "127.0.0.0/8", version6: "::1/128", or: reachable)
        case .linkLocal: Self.allowing(address, version4: "169.254.0.0/16", version6: "fe80::/10", or: reachable)
        case .multicast: Self.allowing(address, version4: "224.0.0.0/4", version6: "ff00::/8", or: reachable)
        // Nobody has an instance there.
        case .unspecified, .broadcast, .metadata: reachable
        }
    }

    private static func allowing(_ address: String, version4: String, version6: String, or cure: String) -> String {
        let parsed = IPAddress(address)
        let isVersion4 = parsed?.isVersion4 == true || parsed?.embeddedVersion4 != nil
        return "\(cure); or, if that is it, put its range into catalog.allow.addresses (--catalog-allow-addresses "
            + "\(isVersion4 ? version4 : version6))"
    }
}
