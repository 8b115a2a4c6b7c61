// SPDX-License-Identifier: Apache-2.0

/// What all streams together received in a part of the run.
struct Traffic: Sendable {
    var responses = 0
    /// Of messages, without gRPC's and HTTP's framing.
    var bytes = 0
    var resources = 0
    /// Resources that the stream held already, by type.
    var unchanged = Array(repeating: 0, count: ResourceType.allCases.count)
    /// Resources that changed without anybody having asked for it.
    var unexpected = 0
    var removals = 0

    mutating func add(_ receipt: SimulatedEnvoy.Receipt, bytes: Int) {
        self.responses += 1
        self.bytes += bytes
        self.resources += receipt.resources
        self.unchanged[receipt.type.rawValue] += receipt.unchanged
        self.unexpected += receipt.resources - receipt.unchanged - (receipt.hasAwaited ? 1 : 0)
        self.removals += receipt.removals
    }
}

/// Why a run is worth nothing.
struct LoadFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
