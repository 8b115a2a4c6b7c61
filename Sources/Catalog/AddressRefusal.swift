// SPDX-License-Identifier: Apache-2.0

extension AddressRules.Refusal {
    /// Goes on from "the address 127.0.0.1:80 of instance x ".
    var words: String {
        switch self {
        case .notAnAddress: "is not an IP address"
        case .port: "has no port in 1...65535"
        case .denied: "is denied by catalog.deny.addresses"
        case .own: "is where Signalbox itself listens"
        case .consul: "is that of the Consul that is followed"
        case .nomad: "is that of the Nomad that is followed"
        case .envoyAdmin: "is where Envoy's admin interface listens"
        case .loopback: "is a loopback address"
        case .unspecified: "is an unspecified address"
        case .linkLocal: "is a link-local address"
        case .siteLocal: "is a site-local address"
        case .multicast: "is a multicast address"
        case .reserved: "is reserved for future use"
        case .broadcast: "is a broadcast address"
        case .metadata: "is that of a cloud's metadata service"
        }
    }

    /// Whether it is about an agent, which others may well have registered, and not only to lead proxies there.
    var isOfAgent: Bool { self == .consul || self == .nomad }

    /// - Parameter address: what is refused; and its port.
    package func cure(of address: String, port: UInt16) -> String {
        let reachable = "register the instance with the address that proxies reach it by"
        return switch self {
        case .notAnAddress: "register the instance with the IPv4 or IPv6 address that proxies reach it by"
        case .port: "register the instance with the port that it listens on"
        case .denied:
            "register the instance with another address, or take this one out of catalog.deny.addresses "
                + "(--catalog-deny-addresses)"
        case .own: "register the instance with the address and port of the service; nothing can allow this one"
        case .consul, .nomad, .envoyAdmin:
            "register the instance with the address and port of the service; or, if proxies are to lead there, put this very "
                + "address and port into catalog.allow.addresses (--catalog-allow-addresses \(Self.place(address, port)))"
        case .loopback, .linkLocal, .siteLocal, .reserved, .multicast:
            "\(reachable); or, if that is it, put it into catalog.allow.addresses (--catalog-allow-addresses "
                + "\(self.judged(in: address)))"
        // Nobody has an instance there.
        case .unspecified, .broadcast, .metadata: reachable
        }
    }

    /// What of an address is refused: it may be an IPv6 address that one of IPv4 is written in.
    private func judged(in text: String) -> String {
        guard let address = IPAddress(text) else { return text.printable }
        let parts = address.embeddedVersion4 + [address]
        return (parts.first { AddressRules.refusal(of: $0) == self } ?? address).description
    }

    private static func place(_ address: String, _ port: UInt16) -> String {
        address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
