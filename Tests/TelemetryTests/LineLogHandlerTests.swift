// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Synchronization
import Testing

@testable import Telemetry

struct LineLogHandlerTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])

        var all: [String] { self.lines.withLock { $0 } }

        func append(_ line: String) {
            self.lines.withLock { $0.append(line) }
        }
    }

    private let lines = Lines()
    private let level = SharedLogLevel(.info)

    private func logger(_ format: LogFormat = .text, provider: Logger.MetadataProvider? = nil) -> Logger {
        Logger(label: "test") { label in
            LineLogHandler(
                label: label,
                format: format,
                level: self.level,
                metadataProvider: provider,
                write: self.lines.append
            )
        }
    }

    /// Each line after its time and level.
    private var messages: [String] {
        self.lines.all.map { $0.split(separator: " ").dropFirst(2).joined(separator: " ") }
    }

    @Test func `the shared level is changed for loggers that exist, but not for one with its own`() {
        let logger = self.logger()
        var own = logger
        own.logLevel = .error
        logger.debug("1")
        self.level.value = .debug
        logger.debug("2")
        own.debug("3")
        own.error("4")
        #expect(self.messages == ["2\n", "4\n"])
    }

    @Test func `what is said nearer to the event wins`() {
        var logger = self.logger(provider: Logger.MetadataProvider { ["b": "provided", "c": "provided"] })
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger[metadataKey: "c"] = "logger"
        logger.info("m", metadata: ["c": "event"])
        #expect(self.messages == ["m a=logger b=provided c=event\n"])
    }

    private struct Broken: Error, CustomStringConvertible {
        var description: String { "it broke" }
    }

    @Test func `an error is told with its type`() throws {
        self.logger(.json).error("failed", error: Broken())
        let line = try #require(self.lines.all.first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["error.message"] == "it broke")
        #expect(object["error.type"]?.hasSuffix("Broken") == true)
        #expect(object["label"] == "test")
        #expect(object["level"] == "error")
    }
}
