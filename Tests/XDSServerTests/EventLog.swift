// SPDX-License-Identifier: Apache-2.0

import Logging

/// Log messages as events: what a test waits for, instead of for time to pass.
struct EventLog: LogHandler {
    private let messages: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init() {
        (self.messages, self.continuation) = AsyncStream.makeStream()
    }

    var logger: Logger { Logger(label: "test") { _ in self } }

    /// Returns when a message was logged so many times since the last call.
    func waits(for message: String, times: Int = 1) async {
        var missing = times
        for await logged in self.messages where logged == message {
            missing -= 1
            if missing == 0 { return }
        }
    }

    func log(event: LogEvent) {
        self.continuation.yield("\(event.message)")
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }
}
