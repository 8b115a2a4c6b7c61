// SPDX-License-Identifier: Apache-2.0

package import Catalog
package import Routing

/// What the tags of all services come to: to be added to what documents and config entries say.
package struct TagPolicy: Hashable, Sendable {
    /// Their names have an `@`, which those of documents cannot: "web@tags", "web/preview@tags".
    package var routes: [RouteName: Route] = [:]
    /// Of services of which no document has some; with what config entries say of them.
    package var serviceDefaults: [ServiceName: ServiceDefaults] = [:]
    /// Where canaries have a share: they stand in for the others, and the others for them.
    package var failovers: [TargetID: [TargetID]] = [:]
    /// In the order of their origins.
    package var diagnostics: [Diagnostic] = []

    package init() {}
}
