// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of a test's own, removed after it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let name = "api-\(UInt64.random(in: .min ... .max))"
        self.path = FileManager.default.temporaryDirectory.appending(path: name).path()
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func callAsFunction(_ name: String) -> String { "\(self.path)/\(name)" }

    /// Writes another file and renames it over the old one.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: self(name)), options: .atomic)
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    func copy(_ name: String, to other: String) throws {
        try Data(contentsOf: URL(filePath: self(name))).write(to: URL(filePath: self(other)), options: .atomic)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self(name))
    }
}
