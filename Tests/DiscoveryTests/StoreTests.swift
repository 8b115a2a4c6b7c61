// SPDX-License-Identifier: Apache-2.0

import Catalog
import Foundation
import Synchronization
import Testing

@testable import Discovery

/// The last known good on disk, as the control plane uses it.
@Suite(.timeLimit(.minutes(1)))
struct StoreTests {
    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    /// Counts.
    private final class Calls: Sendable {
        private let calls = Mutex(Int64(0))

        var count: Int64 { self.calls.withLock(\.self) }

        func next() -> Int64 {
            self.calls.withLock { calls in
                calls += 1
                return calls
            }
        }
    }

    private final class Told: Sendable {
        let codes = Mutex<[String?]>([])
    }

    private func store(
        minimumRest: Duration = .milliseconds(1),
        retryInterval: Duration = .milliseconds(1)
    ) -> CatalogStore {
        CatalogStore(
            directory: self.directory("state"),
            minimumRest: minimumRest,
            retryInterval: retryInterval
        )
    }

    private func stored() throws -> StoredCatalog? {
        try StoreFile(directory: self.directory("state")).read()
    }

    private func until(_ condition: () throws -> Bool) async throws {
        while try !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func `nothing, then what was stored, is loaded`() async throws {
        guard case .absent = await self.store().load() else {
            Issue.record("there is nothing")
            return
        }
        try self.directory.makeDirectory("state")
        _ = try StoreFile(directory: self.directory("state")).write(.sample)
        guard case .loaded(.sample) = await self.store().load() else {
            Issue.record("it is not what was stored")
            return
        }
    }

    @Test func `its directory is made, with the parents`() async throws {
        let file = StoreFile(directory: self.directory("var/lib/state/"))
        _ = try file.write(.sample)
        #expect(try file.read() == .sample)
        var status = stat()
        #expect(stat(self.directory("var/lib/state"), &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test func `a change is written, and no more than that`() async throws {
        let store = self.store()
        let calls = Calls()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await store.run {
                    StoredCatalog(savedAt: calls.next())
                }
            }
            try await Task.sleep(for: .milliseconds(20))
            #expect(calls.count == 0)
            store.changed()
            try await self.until { try self.stored()?.savedAt == 1 }
            store.changed()
            try await self.until { try self.stored()?.savedAt == 2 }
            group.cancelAll()
        }
        #expect(calls.count == 2)
    }

    @Test func `many changes are one write, and the last of them is written at the end`() async throws {
        let store = self.store(minimumRest: .seconds(3600))
        let calls = Calls()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await store.run {
                    StoredCatalog(savedAt: calls.next())
                }
            }
            store.changed()
            try await self.until { try self.stored()?.savedAt == 1 }
            for _ in 0..<100 { store.changed() }
            try await Task.sleep(for: .milliseconds(20))
            #expect(try self.stored()?.savedAt == 1)
            group.cancelAll()
        }
        #expect(try self.stored()?.savedAt == 2)
    }

    @Test func `when nothing is in force nothing is written`() async throws {
        let store = self.store()
        let calls = Calls()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await store.run {
                    _ = calls.next()
                    return nil
                }
            }
            store.changed()
            try await self.until { calls.count == 1 }
            group.cancelAll()
        }
        #expect(try self.stored() == nil)
        #expect(calls.count == 1)
    }

    @Test func `what fails is tried again until it works`() async throws {
        try self.directory.write("in the way", to: "state")
        let store = self.store()
        let calls = Calls()
        let told = Told()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await store.run({ StoredCatalog(savedAt: calls.next()) }) { problem in
                    told.codes.withLock { $0.append(problem?.code) }
                }
            }
            store.changed()
            try await self.until { calls.count >= 3 }
            try self.directory.remove("state")
            try await self.until { (try? self.stored()) != nil }
            try await self.until { told.codes.withLock { $0.count == 2 } }
            group.cancelAll()
        }
        #expect(told.codes.withLock(\.self) == ["SB306", nil])
    }

    @Test func `each cause has its cure`() async throws {
        try self.directory.makeDirectory("state")
        try self.directory.write("tampered", to: "state/catalog.json")
        chmod(self.directory("state/catalog.json"), 0o622)
        guard case .refused(let writable) = await self.store().load() else { return #expect(Bool(false)) }
        let aside = self.directory("state/catalog.json.refused")
        #expect(
            writable.cure
                == "if nobody else wrote to it: chmod go-w \(aside), move it back to "
                + "\(self.directory("state/catalog.json")) while Signalbox is stopped, and start it; else delete it"
        )
        try self.directory.write("", to: "file")
        let store = CatalogStore(directory: self.directory("file"))
        guard case .refused(let misplaced) = await store.load() else { return #expect(Bool(false)) }
        #expect(misplaced.message == "the stored catalog is not used: \(self.directory("file")) is no directory")
        #expect(misplaced.cure == "correct state.directory")
        let owner = StoreHeader.Refusal(reason: "it belongs to another user", cause: .owner)
        #expect(owner.cure(of: "a.refused", original: "a").contains("chown"))
    }

    @Test func `a refused one is kept, and a new one takes its place`() async throws {
        try self.directory.makeDirectory("state")
        try self.directory.write("tampered", to: "state/catalog.json")
        chmod(self.directory("state/catalog.json"), 0o600)
        let store = self.store()
        guard case .refused(let diagnostic) = await store.load() else {
            Issue.record("it is not refused")
            return
        }
        #expect(diagnostic.code == "SB305")
        #expect(
            diagnostic.message
                == "the stored catalog is not used: it is no stored catalog; it is kept as "
                + self.directory("state/catalog.json.refused")
        )
        #expect(diagnostic.origin == Origin(file: self.directory("state/catalog.json.refused")))
        #expect(diagnostic.cure.hasPrefix("restore \(self.directory("state/catalog.json")) from a backup"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await store.run { .small } }
            store.changed()
            try await self.until { try self.stored() == .small }
            group.cancelAll()
        }
        let kept = try String(contentsOfFile: self.directory("state/catalog.json.refused"), encoding: .utf8)
        #expect(kept == "tampered")
    }
}
