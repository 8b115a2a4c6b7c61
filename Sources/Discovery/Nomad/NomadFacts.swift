// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// What a Nomad source tells.
package enum NomadReport: Sendable {
    /// Of its services, and of how it is: what every source tells.
    case source(SourceEvent)
    /// For `Join`.
    case facts(NomadFactsUpdate)
}

/// What Nomad says of one allocation now.
/// See https://developer.hashicorp.com/nomad/api-docs/allocations
package struct AllocationFact: Hashable, Sendable {
    package enum DesiredStatus: String, Hashable, Sendable, CaseIterable {
        case run, stop, evict
    }

    package enum ClientStatus: String, Hashable, Sendable, CaseIterable {
        case pending, running, complete, failed, lost
        /// Its client is disconnected, and may come back with it.
        case unknown
    }

    /// A UUID in lower case.
    package var id: String
    package var namespace: String
    package var job: String
    /// Nil: only events told of it so far, and no deployment made it.
    package var jobVersion: UInt64?
    package var group: String
    package var deployment: String?
    /// Its deployment placed it as one, and nobody has promoted its group yet.
    package var isCanary: Bool
    package var nodeID: String
    package var desired: DesiredStatus
    package var client: ClientStatus
    /// The drain of its node has come to it: the decision to stop it is next.
    package var isMigrating: Bool

    package init(
        id: String,
        namespace: String,
        job: String,
        jobVersion: UInt64?,
        group: String,
        deployment: String?,
        isCanary: Bool,
        nodeID: String,
        desired: DesiredStatus,
        client: ClientStatus,
        isMigrating: Bool
    ) {
        self.id = id
        self.namespace = namespace
        self.job = job
        self.jobVersion = jobVersion
        self.group = group
        self.deployment = deployment
        self.isCanary = isCanary
        self.nodeID = nodeID
        self.desired = desired
        self.client = client
        self.isMigrating = isMigrating
    }

    /// Nomad has decided that it ends. It may serve for a while yet, and will not be started again.
    package var isEnding: Bool { self.desired != .run || self.isMigrating }

    /// Its client says that its tasks have ended. (That it is lost is only what the server thinks.)
    package var hasEnded: Bool { self.client == .complete || self.client == .failed }
}

/// What changed of what Nomad says of allocations. Nil: it says nothing of it any more (it collects what has ended
/// after some hours), which is no word that it ended.
///
/// While Nomad is not reached, nothing is delivered: what was said last stays said.
package struct NomadFactsUpdate: Hashable, Sendable {
    /// The first one: there is nothing that it does not name.
    package var isComplete: Bool
    package var allocations: [String: AllocationFact?]

    package init(isComplete: Bool = false, allocations: [String: AllocationFact?] = [:]) {
        self.isComplete = isComplete
        self.allocations = allocations
    }

    package var isEmpty: Bool { !self.isComplete && self.allocations.isEmpty }
}
