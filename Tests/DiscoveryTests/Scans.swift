// SPDX-License-Identifier: Apache-2.0

import Catalog
import Discovery
import Logging

/// The scans of a running source, one after the other, and what a reader of them knows by now.
struct Scans {
    private var iterator: AsyncStream<FileScan>.Iterator
    let source: FileSource
    /// The text of every file, or why there is none.
    private(set) var texts: [String: String] = [:]

    /// Runs a source, and ends it after `body`.
    static func of(
        _ root: String,
        pollInterval: Duration = .seconds(600),
        _ body: (inout Scans) async throws -> Void
    ) async throws {
        let source = FileSource(root: root, pollInterval: pollInterval, logger: Logger(label: "test"))
        try await withThrowingTaskGroup { group in
            let (stream, continuation) = AsyncStream<FileScan>.makeStream()
            group.addTask {
                await source.run { scan in _ = continuation.yield(scan) }
            }
            var scans = Scans(iterator: stream.makeAsyncIterator(), source: source)
            try await body(&scans)
            group.cancelAll()
        }
    }

    mutating func next() async throws -> FileScan {
        guard let scan = await self.iterator.next(isolation: #isolation) else { throw CancellationError() }
        for change in scan.changes {
            switch change.content {
            case .bytes(let bytes): self.texts[change.path] = String(decoding: bytes, as: UTF8.self)
            case .removed: self.texts[change.path] = nil
            case .unreadable(let reason): self.texts[change.path] = "unreadable: \(reason)"
            }
        }
        return scan
    }

    /// Takes scans until all of them together say this.
    mutating func until(_ texts: [String: String]) async throws {
        while self.texts != texts {
            _ = try await self.next()
        }
    }
}
