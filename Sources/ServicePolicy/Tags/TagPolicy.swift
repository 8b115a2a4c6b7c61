// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the tags of all services come to: to be added to what documents and config entries say.
package struct TagPolicy: Hashable, Sendable {
    /// Their names have an `@`, which those of documents cannot: "web@tags", "web/preview@tags".
    package var routes: [RouteName: Route] = [:]
    /// Of services of which nobody else has some.
    package var serviceDefaults: [ServiceName: ServiceDefaults] = [:]
    /// Where canaries have a share: they stand in for the others, and the others for them.
    package var failovers: [TargetID: [TargetID]] = [:]
    /// In the order of their origins.
    package var diagnostics: [Diagnostic] = []
    /// What each service said when it last said it well.
    var standing: [ServiceName: Standing] = [:]

    package init() {}

    struct Standing: Hashable {
        var routes: [String: ServiceTags.Route] = [:]
        var settings = TagSettings()
    }
}

/// Decides what the tags of all services come to.
///
/// - Order: documents and config entries, then services by their names, then the routes of a service by theirs. Who is
///   first has a host with given conditions; who comes later loses that host.
/// - What is said badly costs its own route or setting, whose last good version stays in force. What is said well and refused
///   (a host that is not the service's, or another's) does not.
/// - While a service has no instances, or only canaries, what its other instances said and nobody speaks of stays in force.
///
/// - Parameters:
///   - services: those of the catalog that are not silent, without those that are gone.
///   - policy: what documents and config entries say. Its gateways are the ones there are.
///   - named: services that documents describe: their tags make no routes.
package func mergeTags(
    _ services: [ServiceName: ServiceTags],
    policy: Policy,
    options: TagOptions,
    named: Set<ServiceName> = [],
    previous: TagPolicy?
) -> TagPolicy {
    var merge = TagMerge(policy: policy, options: options, previous: previous)
    for (name, tags) in services.sorted(by: { $0.key < $1.key }) {
        merge.add(tags, isNamed: named.contains(name))
    }
    return merge.result()
}
