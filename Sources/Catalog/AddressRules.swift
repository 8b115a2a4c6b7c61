// SPDX-License-Identifier: Apache-2.0

/// Which addresses a source may send requests to. Whoever can register a service chooses an address and a port, and
/// proxies then connect there with the rights of their machine: to their own admin listener, to what listens on
/// loopback because it trusts the machine, or to a cloud's metadata.
///
/// In this order: what is denied is refused; what is reserved for somebody is refused, unless it is allowed with its port;
/// a metadata service is refused, unless it is allowed by its own address and no wider range; what is allowed is taken;
/// what is on no network of instances (loopback, unspecified, link-local, multicast, broadcast) is refused; the rest is
/// taken. An IPv4 address that is written as IPv6 is judged as both.
package struct AddressRules: Hashable, Sendable {
    /// Addresses, and one port of them or all.
    package struct Place: Hashable, Sendable {
        package var range: AddressRange
        /// Nil: every port.
        package var port: UInt16?

        package init(_ range: AddressRange, port: UInt16? = nil) {
            self.range = range
            self.port = port
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

        func contains(_ address: IPAddress, port: UInt16) -> Bool {
            self.port ?? port == port && self.range.contains(address)
        }
    }

    /// Why an address is refused. The raw value is stable.
    package enum Refusal: String, Hashable, Sendable, CaseIterable {
        case notAnAddress = "not-an-address"
        case port
        case denied
        case own
        case consul
        case nomad
        case envoyAdmin = "envoy-admin"
        case loopback
        case unspecified
        case linkLocal = "link-local"
        case siteLocal = "site-local"
        case multicast
        case reserved
        case broadcast
        case metadata
    }

    package var allowed: [Place]
    package var denied: [Place]
    package var reserved: [Reserved]

    package init(allowed: [Place] = [], denied: [Place] = [], reserved: [Reserved] = []) {
        self.allowed = allowed
        self.denied = denied
        self.reserved = reserved
    }

    /// Nil: it may be used.
    package func refusal(of address: String, port: UInt16) -> Refusal? {
        guard let parsed = IPAddress(address) else { return .notAnAddress }
        guard port > 0 else { return .port }
        return parsed.embeddedVersion4.lazy.compactMap { self.refusal(of: $0, port: port) }.first
            ?? self.refusal(of: parsed, port: port)
    }

    private func refusal(of address: IPAddress, port: UInt16) -> Refusal? {
        if self.denied.contains(where: { $0.contains(address, port: port) }) { return .denied }
        if let reserved = self.reserved.first(where: { $0.place.contains(address, port: port) }) {
            let isAllowed =
                reserved.owner != .signalbox
                && self.allowed.contains { $0.port != nil && $0.contains(address, port: port) }
            if !isAllowed { return reserved.owner.refusal }
        }
        guard let refusal = Self.refusal(of: address) else { return nil }
        let isAllowed = self.allowed.contains { place in
            place.contains(address, port: port) && (refusal != .metadata || place.range.isOneAddress)
        }
        return isAllowed ? nil : refusal
    }

    /// Of what is on no network of instances.
    static func refusal(of address: IPAddress) -> Refusal? {
        address.isVersion4 ? Self.refusal(version4: address.low) : Self.refusal(version6: address)
    }

    /// https://www.iana.org/assignments/iana-ipv4-special-registry
    private static func refusal(version4 bits: UInt64) -> Refusal? {
        switch bits >> 24 {
        case 0: return .unspecified
        case 127: return .loopback
        // Metadata of most clouds (169.254.169.254), Amazon's credentials of containers (169.254.170.2 and .23).
        case 169 where [0xA9FE_A9FE, 0xA9FE_AA02, 0xA9FE_AA17].contains(bits): return .metadata
        case 169 where bits >> 16 == 0xA9FE: return .linkLocal
        case 224...239: return .multicast
        // Metadata of Alibaba (100.100.100.200), Azure (168.63.129.16) and Oracle (192.0.0.192).
        case 100 where bits == 0x6464_64C8, 168 where bits == 0xA83F_8110, 192 where bits == 0xC000_00C0:
            return .metadata
        case 240...255: return bits == 0xFFFF_FFFF ? .broadcast : .reserved
        default: return nil
        }
    }

    /// https://www.iana.org/assignments/iana-ipv6-special-registry
    private static func refusal(version6 address: IPAddress) -> Refusal? {
        if address.high == 0, address.low <= 1 { return address.low == 0 ? .unspecified : .loopback }
        if address.high >> 54 == 0xFE80 >> 6 { return .linkLocal }
        // Withdrawn by RFC 3879, and routed as before by some.
        if address.high >> 54 == 0xFEC0 >> 6 { return .siteLocal }
        if address.high >> 56 == 0xFF { return .multicast }
        // Amazon's own services: metadata (fd00:ec2::254), credentials of pods (fd00:ec2::23) and whatever comes next.
        if address.high >> 32 == 0xFD00_0EC2 { return .metadata }
        // Metadata of Google (fd20:ce::254).
        return address.high == 0xFD20_00CE_0000_0000 && address.low == 0x254 ? .metadata : nil
    }
}
