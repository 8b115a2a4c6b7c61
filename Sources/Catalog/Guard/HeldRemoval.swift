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
    }

    package var source: SourceName
    package var reason: Reason
    /// Of the services that have instances held, or of config entries; sorted.
    package var names: [String]
    /// How many of these services would have no routable instance without it.
    package var emptied: Int
    /// 0 for config entries.
    package var instances: Int
    /// On the clock that the guard is given.
    package var since: Duration
    /// When it is released; nil while the clock of the source stands still.
    package var until: Duration?
}
