// SPDX-License-Identifier: Apache-2.0

/// Who tells of services.
package enum SourceName: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case file
    case consul
    case nomad

    package static func < (left: SourceName, right: SourceName) -> Bool { left.rawValue < right.rawValue }
}

/// What a source found out about its services since its last update.
package struct CatalogUpdate: Hashable, Sendable {
    package var source: SourceName
    /// Whether `services` is all that the source has: what it does not name is gone. Else it names what changed.
    package var isComplete: Bool
    /// Nil: the source says that there is no such service any more.
    package var services: [ServiceName: Service?]
    /// What it says nothing of, and what was known of that stays.
    package var unheard: Unheard

    package init(
        source: SourceName,
        isComplete: Bool,
        services: [ServiceName: Service?],
        unheard: Unheard = Unheard()
    ) {
        self.source = source
        self.isComplete = isComplete
        self.services = services
        self.unheard = unheard
    }
}

/// How a source is.
package struct SourceStatus: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// It has not spoken yet.
        case starting
        /// It answers, and what it says is believed.
        case up
        /// It does not answer, or with errors.
        case down
        /// It answers, and what it says is not believed: a token that sees nothing, an index that fell.
        case suspect
    }

    /// What about the settings for it is at fault: whoever knows them can say more.
    package enum Fault: Hashable, Sendable {
        /// The token lacks a right, or there is none.
        case rights
        /// The source does not know the token.
        case unknownToken
        case expiredToken
        case filter
        /// The file of the token cannot be used any more, and what was last read from it is.
        case tokenFile
        /// The same of a file of certificates or of a key.
        case certificateFile
    }

    package var source: SourceName
    package var state: State
    /// Why it is not up, for people: what, and the cure.
    package var problem: String?
    /// Of `problem`, stable: such as "acl", "unreachable", "status", "decoding", "partial".
    package var reason: String?
    /// Of `problem`; nil: none that is known.
    package var fault: Fault?
    /// While it is down or suspect: that is of a part of it, and the rest is followed, so that it can say what is back.
    package var isPartial: Bool
    /// Of the agent that is asked, such as "1.17.2+ent"; nil: it does not say, or has none.
    package var version: String?

    package init(
        source: SourceName,
        state: State,
        problem: String? = nil,
        reason: String? = nil,
        fault: Fault? = nil,
        isPartial: Bool = false,
        version: String? = nil
    ) {
        self.source = source
        self.isPartial = isPartial
        self.version = version
        self.state = state
        self.problem = problem
        self.reason = reason
        self.fault = fault
    }
}

/// Why a service that a source has is not taken: for whoever looks for it.
package struct Untaken: Hashable, Sendable {
    /// Goes on from "the service is in consul and not taken: ".
    package var reason: String
    package var cure: String

    package init(reason: String, cure: String) {
        self.reason = reason
        self.cure = cure
    }
}

/// A config entry as Consul keeps it: policy that lives in the catalog.
/// See https://developer.hashicorp.com/consul/docs/connect/config-entries
package struct ConfigEntry: Hashable, Sendable, Codable {
    package struct Key: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
        /// Such as "service-router".
        package var kind: String
        package var name: String

        package init(kind: String, name: String) {
            self.kind = kind
            self.name = name
        }

        package var description: String { "\(self.kind)/\(self.name)" }

        package static func < (left: Key, right: Key) -> Bool { (left.kind, left.name) < (right.kind, right.name) }
    }

    package var key: Key
    /// The entry as the server sent it: a JSON object.
    package var json: [UInt8]
    package var origin: Origin

    package init(key: Key, json: [UInt8], origin: Origin) {
        self.key = key
        self.json = json
        self.origin = origin
    }
}

/// Everything that a source may tell.
package enum SourceEvent: Sendable {
    case catalog(CatalogUpdate)
    /// All config entries that there are.
    ///
    /// - Parameter accepted: of those that are gone, which are so by the operator's word.
    case configEntries([ConfigEntry], accepted: Set<ConfigEntry.Key> = [])
    /// All services that it has and that the settings leave out.
    case untaken([ServiceName: Untaken])
    /// Documents that live in the source, as if it were a directory of files.
    ///
    /// - Parameter accepted: of those that are gone, the paths of which are so by the operator's word.
    case documents([FileChange], accepted: Set<String> = [])
    /// Config entries and documents that it refuses to show, and showed before: all of them, each by its subject. They stay.
    case hiddenPolicy(Set<String>)
    /// Input that could not be used: all of it, in place of what was reported before.
    case diagnostics([Diagnostic])
    case status(SourceStatus)
}
