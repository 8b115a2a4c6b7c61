// SPDX-License-Identifier: Apache-2.0

extension StreamStateMachine {
    package enum Variant: String, Hashable, Sendable {
        /// State of the world.
        case sotw
        case delta
    }

    package enum Action: Equatable, Sendable {
        /// Send it.
        case respond(Response)
        /// Tell the operator.
        case report(Rejection)
        /// Call `deadlinePassed(_:)` with this number after the duration.
        case wake(Int, after: Duration)
        /// End the stream with this status; nothing follows.
        case close(Violation)
    }

    /// What ends a stream: the client broke the protocol or asked for too much.
    package enum Violation: Equatable, Sendable {
        case invalidArgument(String)
        case resourceExhausted(String)
    }

    package enum RequestKind: String, Sendable, CaseIterable {
        /// It answers no response.
        case subscribe
        case ack
        case nack
        /// It answers a response that is not the newest of its type.
        case stale
    }

    package struct Limits: Sendable {
        package var types = 32
        /// Names over all types.
        package var subscriptions = 50_000
        /// UTF-8 bytes of one name.
        package var nameBytes = 4_096

        package init() {}
    }

    /// What it takes to remember names.
    package struct NameMemory: Sendable {
        /// Of a name that is in a few sets, beside its bytes.
        private static let overhead = 64

        package private(set) var count = 0
        package private(set) var bytes = 0
        /// About so many bytes of memory.
        package private(set) var cost = 0

        package init() {}

        package mutating func add(_ name: ResourceName) {
            self.count += 1
            let bytes = name.rawValue.utf8.count
            self.bytes += bytes
            self.cost += bytes + Self.overhead
        }
    }
}
