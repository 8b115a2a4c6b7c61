// SPDX-License-Identifier: Apache-2.0

/// What came of one input.
package struct GuardOutcome: Hashable, Sendable {
    /// For the log, the metrics and the audit.
    package struct Event: Hashable, Sendable {
        package enum Change: Hashable, Sendable {
            case held
            case released(Release)
        }

        /// The raw value is stable: it is a label of a metric.
        package enum Release: String, Hashable, Sendable, CaseIterable {
            /// The source has it again, or says something else of it.
            case returned
            /// Another instance has its address now, or another source says that it stopped.
            case superseded
            case graceOver = "grace_over"
            case accepted
        }

        package var source: SourceName
        package var reason: HeldRemoval.Reason
        package var change: Change
        /// Of the services, config entries or documents concerned.
        package var names: Set<String>
        /// 0 for config entries and documents.
        package var instances: Int

        package init(
            source: SourceName,
            reason: HeldRemoval.Reason,
            change: Change,
            names: Set<String>,
            instances: Int
        ) {
            self.source = source
            self.reason = reason
            self.change = change
            self.names = names
            self.instances = instances
        }
    }

    /// Services whose word in force is another one than before.
    package var changed: Set<ServiceName> = []
    /// Whether services became known or unknown; else they only changed.
    package var isOtherServices = false
    /// Sources whose config entries in force are others than before.
    package var configEntries: Set<SourceName> = []
    package var events: [Event] = []
    /// From here on there is something in force: all of it.
    package var becameReady = false

    package init() {}

    mutating func add(_ other: GuardOutcome) {
        self.changed.formUnion(other.changed)
        self.isOtherServices = self.isOtherServices || other.isOtherServices
        self.configEntries.formUnion(other.configEntries)
        self.events += other.events
        self.becameReady = self.becameReady || other.becameReady
    }

    package var isChange: Bool { self.becameReady || !self.changed.isEmpty || !self.configEntries.isEmpty }
}

/// Gathers events: one for each reason and change, whatever the number of instances.
struct EventTally: Sendable {
    private struct Key: Hashable {
        var reason: HeldRemoval.Reason
        var change: GuardOutcome.Event.Change
    }

    private var tally: [Key: (names: Set<String>, instances: Int)] = [:]

    mutating func count(
        _ change: GuardOutcome.Event.Change,
        _ reason: HeldRemoval.Reason,
        _ name: String,
        instances: Int = 1
    ) {
        self.tally[Key(reason: reason, change: change), default: ([], 0)].names.insert(name)
        self.tally[Key(reason: reason, change: change)]?.instances += instances
    }

    mutating func add(_ other: EventTally) {
        for (key, value) in other.tally {
            self.tally[key, default: ([], 0)].names.formUnion(value.names)
            self.tally[key]?.instances += value.instances
        }
    }

    func events(of source: SourceName) -> [GuardOutcome.Event] {
        self.tally.map { key, value in
            GuardOutcome.Event(
                source: source,
                reason: key.reason,
                change: key.change,
                names: value.names,
                instances: value.instances
            )
        }
        .sorted { ($0.reason.rawValue, "\($0.change)") < ($1.reason.rawValue, "\($1.change)") }
    }
}
