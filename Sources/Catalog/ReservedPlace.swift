// SPDX-License-Identifier: Apache-2.0

extension AddressRules {
    /// Where somebody listens whom requests of clients must not reach: whoever may register a service would lead them there.
    package struct Reserved: Hashable, Sendable {
        package enum Owner: Hashable, Sendable {
            /// Nothing can allow it.
            case signalbox
            case consul
            case nomad
            case envoyAdmin
        }

        package var place: Place
        package var owner: Owner

        package init(_ place: Place, by owner: Owner) {
            self.place = place
            self.owner = owner
        }
    }

    /// The admin interface of a proxy whose bootstrap is ours and says nothing else: see `signalbox bootstrap`.
    package static let envoyAdmin = Self.reserved(host: "localhost", port: 9901, by: .envoyAdmin)

    /// Where a server is that is reached by this host and port. Of a name, nothing is known but of `localhost`.
    ///
    /// One that is reached on loopback may listen on all of it, as one does that listens everywhere.
    package static func reserved(host: String, port: UInt16, by owner: Reserved.Owner) -> [Reserved] {
        var hosts: [IPAddress] = []
        if let address = IPAddress(host) { hosts = [address] + address.embeddedVersion4 }
        let isLocal = host.lowercased() == "localhost" || hosts.contains { $0.isUnspecified || $0.isLoopback }
        var ranges = hosts.compactMap { AddressRange($0) }
        // Its own listeners on loopback are known to the last bit.
        if isLocal, owner != .signalbox || !hosts.contains(where: \.isLoopback) {
            ranges += ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }
        }
        return ranges.map { Reserved(Place($0, port: port), by: owner) }
    }
}

extension AddressRules.Reserved.Owner {
    var refusal: AddressRules.Refusal {
        switch self {
        case .signalbox: .own
        case .consul: .consul
        case .nomad: .nomad
        case .envoyAdmin: .envoyAdmin
        }
    }
}

extension IPAddress {
    fileprivate var isUnspecified: Bool { self.high == 0 && self.low == 0 }

    fileprivate var isLoopback: Bool {
        self.isVersion4 ? self.low >> 24 == 127 : self.high == 0 && self.low == 1
    }
}
