// SPDX-License-Identifier: Apache-2.0

/// How much the other side of a connection of HTTP/2 may send (RFC 9113, 5.2). Thousands of questions share it, so it is far
/// larger than at first, and is given back in pieces.
///
/// It goes by what is left of it and not by what was read: padding, and what is sent for a stream that was given up, take
/// some of it and are seen by nobody.
struct MultiplexWindow: Sendable {
    /// By the protocol, before anything is said about it.
    static let initial = 65_535
    static let full = Self.initial + 16 * 1024 * 1024
    /// What is worth giving back.
    static let piece = 16 * 1024

    private var size = Self.initial
    /// Whether what was given back does not show yet.
    private var isRefilling = false

    /// What to give back at the beginning.
    mutating func open() -> Int {
        self.isRefilling = true
        return Self.full - self.size
    }

    /// Returns what to give back; nil: nothing.
    ///
    /// - Parameter size: what is left. Nothing but what was given back makes it grow.
    mutating func changed(to size: Int) -> Int? {
        if size > self.size { self.isRefilling = false }
        self.size = size
        guard !self.isRefilling, Self.full - size >= Self.piece else { return nil }
        self.isRefilling = true
        return Self.full - size
    }
}
