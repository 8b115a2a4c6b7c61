// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Logging
import Synchronization

/// How the lines of the log are written.
package enum LogFormat: String, CaseIterable, Sendable {
    /// For people.
    case text
    /// One JSON object a line.
    case json
}

/// The level of every logger that was not given one of its own; it can be changed while the process runs.
package final class SharedLogLevel: Sendable {
    private let level: Mutex<Logger.Level>

    package init(_ level: Logger.Level) {
        self.level = Mutex(level)
    }

    package var value: Logger.Level {
        get { self.level.withLock { $0 } }
        set { self.level.withLock { $0 = newValue } }
    }
}

/// The back end of swift-log: one line for each event, by one write, to standard error.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let sharedLevel: SharedLogLevel
    private var ownLevel: Logger.Level?
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line, with its end.
    package init(
        label: String,
        format: LogFormat,
        level: SharedLogLevel,
        metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.label = label
        self.format = format
        self.sharedLevel = level
        self.metadataProvider = metadataProvider
        self.write = write
    }

    package var logLevel: Logger.Level {
        get { self.ownLevel ?? self.sharedLevel.value }
        set { self.ownLevel = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var metadata = self.metadata
        // What is said nearer to the event wins.
        metadata.merge(self.metadataProvider?.get() ?? [:]) { $1 }
        metadata.merge(event.metadata ?? [:]) { $1 }
        if let error = event.error {
            // The keys that swift-log's own handler uses.
            metadata["error.message"] = "\(error)"
            metadata["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        let line = LogLine(
            milliseconds: Self.now(),
            level: event.level,
            label: self.label,
            message: event.message.description,
            metadata: metadata
        )
        switch self.format {
        case .text: self.write(line.text + "\n")
        case .json: self.write(line.json + "\n")
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// One write, so that the lines of threads and processes that share a pipe do not mix. A line that cannot be
    /// written is lost: there is nowhere to say so.
    package static func writeToStandardError(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
