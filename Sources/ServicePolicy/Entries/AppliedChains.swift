// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// A policy whose routes lead where the config entries of their services say.
package struct AppliedChains: Hashable, Sendable {
    /// A service that an entry sends requests to.
    package struct Destination: Hashable, Sendable {
        package var service: ServiceName
        package var entry: ConfigEntry.Key
        package var origin: Origin
    }

    package var policy: Policy
    /// Of everything but the catalog, in the order of their origins.
    package var diagnostics: [Diagnostic]
    /// In the order of their names.
    package var destinations: [Destination]
    /// What to go back to, next time.
    package var standing = ChainStanding()

    /// The destinations that nobody knows: their requests are answered with 503.
    package func missing(in catalog: Catalog) -> [Diagnostic] {
        self.destinations.filter { catalog[$0.service] == nil }.map { destination in
            Diagnostic(
                .warning,
                code: "SB336",
                subject: destination.entry.description,
                message:
                    "it leads to service '\(destination.service)', of which nothing is known: requests that go there "
                    + "are answered with 503",
                cure: "register the service, or correct the name",
                origin: destination.origin
            )
        }
    }
}

/// Lets every request that a route sends to a whole service go through that service's router, splitter and resolver, and
/// gives each service the settings that its entries have.
///
/// Depends on nothing but what it is given, so it need not be done anew when instances change. To be done after `admit`, which
/// knows only what people wrote. Documents come first: what they say of a service's settings, of a rule's timeout and
/// retries, and backends with a subset of their own, stay as they are. Without entries the policy stays as it is.
///
/// - Parameter previous: of the last time: requests go as they did where entries cannot be followed.
package func applyChains(
    to policy: Policy,
    entries: ConfigEntries,
    previous: ChainStanding = ChainStanding()
) -> AppliedChains {
    var application = ChainApplication(policy: policy, entries: entries, previous: previous)
    return application.run()
}
