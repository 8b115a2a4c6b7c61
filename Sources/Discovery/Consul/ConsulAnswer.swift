// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// What an agent answered, read and converted.
struct ConsulAnswer: Sendable {
    enum Content: Sendable {
        case servers(nodes: [String])
        /// Whether the node and its service `consul` were seen.
        case server(isVisible: Bool)
        /// Name to tags, in order.
        case services([String: [String]])
        /// Name to the index of its last change.
        case nodes([String: UInt64])
        case checks(Set<ConsulCheckKey>)
        /// Service to its checks that pass.
        case passing([String: ConsulPassingChecks])
        case service(ConsulServiceReading)
        /// In the order of the question.
        case probes([UInt64])
        /// How many questions a connection takes.
        case capacity(Int)
        /// Service to its index; nil: it is refused.
        case indexes([String: UInt64?])
        case entries([ConfigEntry], unreadable: ConsulUnreadableEntries)
        /// Path below the prefix to value.
        case keys([String: ConsulKey])
        /// Whether it is there.
        case presence(Bool)
        case agent(ConsulAgent)

        /// Whether it says no more than that the catalog can be seen.
        var isOfLink: Bool {
            switch self {
            case .servers, .server: true
            default: false
            }
        }
    }

    var content: Content
    /// Of the state that was shown.
    var index: UInt64
    /// Size of the body, for what the next one may cost.
    var bytes: Int
    /// Of the link: which token there is now.
    var token = 0

    /// What an index counts as: 0 does not block. All that is compared is counted, or the 0 of one answer is below the 1 of
    /// another.
    static func counted(_ index: UInt64) -> UInt64 { max(index, 1) }
}

/// A check that is not passing.
struct ConsulCheckKey: Hashable, Sendable {
    var node: String
    var check: String
    /// Empty: it is the node's, and concerns all services there.
    var service: String
    /// Of the instance.
    var serviceID: String
}

/// A service as it was read.
struct ConsulServiceReading: Hashable, Sendable {
    /// Those that can be used, in the order of their IDs.
    var instances: [Instance]
    /// The nodes that have it, in order.
    var nodes: [String]
    /// How many there are, those included that cannot be used or are none of ours.
    var count: Int
    /// How many checks of its instances pass.
    var passingChecks = 0
    /// Whether it is a service, and not the proxies of a mesh in front of one, or one whose instances all stay out.
    var isOurs = true
    /// Whether the server says that it left out what the token may not read.
    var isFiltered = false
    /// Whether an instance counts as critical only because it has no check of its own yet.
    var awaitsCheck = false
    /// Why some of it cannot be used.
    var diagnostics: [Diagnostic] = []

    /// With instances that it lacks and that may be there.
    func keeping(_ kept: [Instance]) -> Self {
        guard !kept.isEmpty else { return self }
        var whole = self
        whole.instances = (self.instances + kept).sorted { $0.id < $1.id }
        whole.nodes = Set(self.nodes + kept.map(\.node)).sorted()
        whole.isOurs = true
        return whole
    }
}

/// The checks of a service's instances that pass.
struct ConsulPassingChecks: Hashable, Sendable {
    var count: Int
    /// At which one of them changed last.
    var index: UInt64

    mutating func add(_ index: UInt64) {
        self.count += 1
        self.index = max(self.index, index)
    }
}

/// Config entries of a list that cannot be read: they are there.
struct ConsulUnreadableEntries: Hashable, Sendable {
    /// Of those that have one.
    var names: Set<String> = []
    var count = 0
    /// The first of them, and what is wrong.
    var reasons: [String] = []

    func mayBe(_ name: String) -> Bool { self.names.contains(name) || self.count > self.names.count }
}

struct ConsulKey: Hashable, Sendable {
    private static let place = "consul:kv/"

    /// The index of its last change.
    var index: UInt64
    var value: [UInt8]

    /// The path of the file that a key is told as.
    static func file(_ name: String) -> String { Self.place + name }

    static func name(ofFile path: String) -> String? {
        path.hasPrefix(Self.place) ? String(path.dropFirst(Self.place.count)) : nil
    }
}

/// Why there is no answer that can be used.
struct ConsulFailure: Error, Hashable, Sendable {
    enum Reason: String, Hashable, Sendable, CaseIterable {
        /// No connection, or one that ended early.
        case unreachable
        case timeout
        case tls
        /// 401 or 403, or a token that cannot be read.
        case acl
        /// Another status than 200.
        case status
        /// Not what was asked for.
        case decoding
        /// More than is taken.
        case size
    }

    var reason: Reason
    /// One line for the operator: what, and the cure.
    var message: String
    /// Of the transport, or of an answer with another status.
    var error: APIError?

    /// What of the settings is at fault. That a token cannot be read says all by itself.
    var fault: SourceStatus.Fault? {
        SourceStatus.Fault(self.error?.meaning, isOfRights: self.reason == .acl && self.error?.kind != .token)
    }

    /// Whether it is about what was asked for alone: others would be answered.
    var isOfSubject: Bool {
        guard self.error?.meaning == nil else { return false }
        switch self.reason {
        case .acl: return self.error?.kind != .token
        // 408 and 429 want to be asked later.
        case .status: return self.error?.status.map { 400..<500 ~= $0 && $0 != 408 && $0 != 429 } ?? false
        case .decoding, .size: return true
        case .unreachable, .timeout, .tls: return false
        }
    }

    /// Whether somebody answered, and it is not a matter of being reached.
    var isAnswer: Bool {
        switch self.reason {
        case .acl, .status, .decoding, .size: true
        case .unreachable, .timeout, .tls: false
        }
    }
}
