// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What the instances of one service say together by their tags.
package struct ServiceTags: Hashable, Sendable {
    /// Told of one service; what is more is counted.
    static let maximumFaults = 20
    /// Of all routes of a service.
    static let maximumSize = 10_000

    package struct Route: Hashable, Sendable {
        package var statement: RouteStatement
        /// Only canaries speak of it: it leads to canaries only.
        package var isOfCanaries: Bool

        /// How many routes proxies have of it.
        var size: Int { (self.statement.hostnames?.count ?? 1) * self.statement.matches.count }
    }

    package var service: ServiceName
    package var origin: Origin
    /// Whether there is an instance that is no canary.
    package var hasLasting = false
    /// By their names within the service.
    package var routes: [String: Route] = [:]
    /// Spoken of, and by nobody well.
    package var badRoutes: Set<String> = []
    /// Some tags are beyond all bounds: what nobody else speaks of may be in them.
    package var isRefused = false
    package var settings = TagSettings()
    package var badSettings: Set<TagSetting> = []
    /// In their order.
    package var faults: [TagFault] = []

    init(service: ServiceName, origin: Origin) {
        self.service = service
        self.origin = origin
    }

    /// Whether a service without tags of ours would be the same.
    var isSilent: Bool {
        var silent = ServiceTags(service: self.service, origin: self.origin)
        silent.hasLasting = true
        return self == silent
    }
}
