// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// A part of the requests to a service, and where it goes in the end.
struct Share: Hashable {
    var target: TargetID
    /// Of all requests to the service.
    var fraction: Double
    var requestHeaders = HeaderModifier()
    var responseHeaders = HeaderModifier()
    var timeout: Duration?
    var hashPolicies: [HashPolicy] = []
    /// Of the entry that decided; nil if none did.
    var origin: Origin?

    func weighted(_ factor: Double) -> Share {
        var weighted = self
        weighted.fraction *= factor
        return weighted
    }
}

/// What requests are for before any entry is asked.
enum ChainStart: Hashable {
    /// Through its splitter and its resolver.
    case service(ServiceName)
    /// Through its resolver alone.
    case instances(ServiceName)
    case subset(String, of: ServiceName)
}

/// Where requests go that begin at one place: Consul's discovery chain.
struct Chain: Hashable {
    /// Empty if they have nowhere to go.
    var shares: [Share] = []
    /// Who stands in for a target.
    var failovers: [TargetID: [TargetID]] = [:]
    /// The same where not all that an entry names could be followed: better than nobody, and nothing to go back to.
    var partialFailovers: [TargetID: [TargetID]] = [:]
    /// The services that entries name on the way, and the entry that did first.
    var destinations: [ServiceName: AppliedChains.Destination] = [:]
}

/// The chains that were in force last, each as it was when the entries could be followed.
///
/// Entries of different kinds arrive one after the other, and one may become unreadable: then entries do not fit together
/// that fit in Consul.
package struct ChainStanding: Hashable, Sendable {
    var chains: [ChainStart: Chain] = [:]

    package init() {}
}
