// SPDX-License-Identifier: Apache-2.0

import XDSProtocol

/// What the names of a stream cost, and when to look at all of them again: only after so many came or went that the sum may
/// be a quarter off, so that a request costs what it changes and not what the stream remembers.
struct NameCount: Sendable {
    /// So few are not worth to be counted.
    private static let bytesUncounted = 4_096

    /// What the connection and the node were told that the names of the stream cost.
    private(set) var charge = 0
    /// How many they were.
    private var names = 0
    /// The bytes that came since, which may have been names.
    private var uncounted = 0
    /// Some of the charge is for what the client said that it holds: it need not be remembered when that is answered.
    private var hasClaims = false
    /// How many names were answered since, which may have been those.
    private var answered = 0

    /// A part of a request that may be names.
    mutating func received(bytes: Int) { self.uncounted += bytes }

    /// A response was ACKed that had so many names.
    mutating func acknowledged(names: Int) {
        if self.hasClaims { self.answered += names }
    }

    var isDue: Bool {
        self.uncounted > self.charge / 4 + Self.bytesUncounted || self.answered > self.names / 4
    }

    /// They were counted.
    /// - Parameter repeated: the bytes of requests that are kept because their like may come again.
    /// - Returns: by how much the charge has grown.
    mutating func counted(
        subscribed: StreamStateMachine.NameMemory,
        claimed: StreamStateMachine.NameMemory,
        repeated: Int
    ) -> Int {
        let charge = subscribed.cost + claimed.cost + repeated
        defer { self.charge = charge }
        self.names = subscribed.count + claimed.count
        self.uncounted = 0
        self.hasClaims = claimed.cost > Self.bytesUncounted
        self.answered = 0
        return charge - self.charge
    }
}
