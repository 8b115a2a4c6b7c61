// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of a test's own, removed after it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        self.path = FileManager.default.temporaryDirectory.appending(path: "discovery-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func callAsFunction(_ name: String) -> String {
        "\(self.path)/\(name)"
    }

    /// Truncates and writes, as `echo >` does.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: self(name)))
    }

    /// Writes another file and renames it, as most editors do.
    func replace(_ name: String, with text: String) throws {
        try self.write(text, to: ".\(name).new")
        try self.rename(".\(name).new", to: name)
    }

    func rename(_ name: String, to other: String) throws {
        guard Glibc.rename(self(name), self(other)) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: self(name))
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self(name), withDestinationPath: target)
    }
}
