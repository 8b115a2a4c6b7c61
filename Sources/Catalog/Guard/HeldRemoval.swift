// SPDX-License-Identifier: Apache-2.0

/// Something that a source says is gone, and that stays in force for now.
package struct HeldRemoval: Hashable, Sendable {
    /// The raw value is stable: it is a label of a metric.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// More went within the window than should.
        case massRemoval = "mass_removal"
        /// They were the last routable instances of their service.
        case lastInstances = "last_instances"
        /// More config entries went within the window than should.
        case configEntries = "config_entries"
        /// The source refuses to show them, and showed them before. They wait for the operator.
        case hidden
        /// The same of config entries and documents.
        case hiddenPolicy = "hidden_policy"
        /// More documents went than should, or all of a kind. They wait for the operator.
        case documents

        /// Whether only its source or the operator releases it, and no time.
        package var isUntilAccepted: Bool { [.documents, .hidden, .hiddenPolicy].contains(self) }
    }

    package var source: SourceName
    package var reason: Reason
    /// Of the services that have instances held, of config entries or of documents; sorted.
    package var names: [String]
    /// How many of these services would have no routable instance without it.
    package var emptied: Int
    /// 0 for config entries and documents.
    package var instances: Int
    /// On the clock that the guard is given.
    package var since: Duration
    /// When it is released; nil while the clock of the source stands still, and for what waits for the operator.
    package var until: Duration?
    /// Why: what went, and the rule. Nil for what needs no other reason.
    package var excess: Excess?

    package init(
        source: SourceName,
        reason: Reason,
        names: [String],
        emptied: Int = 0,
        instances: Int = 0,
        since: Duration,
        until: Duration?,
        excess: Excess? = nil
    ) {
        self.source = source
        self.reason = reason
        self.names = names
        self.emptied = emptied
        self.instances = instances
        self.since = since
        self.until = until
        self.excess = excess
    }
}
