// SPDX-License-Identifier: Apache-2.0

import Catalog
import Crypto
import Foundation
import TestSupport
import Testing

@testable import Discovery

/// A catalog on disk, and what is not taken for one.
struct StoreFileTests {
    let directory: TemporaryDirectory
    let file: StoreFile

    init() throws {
        self.directory = try TemporaryDirectory()
        self.file = StoreFile(directory: self.directory.path)
    }

    private var bytes: [UInt8] {
        get throws { Array(try Data(contentsOf: URL(filePath: self.file.path))) }
    }

    private func replace(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: self.file.path))
        chmod(self.file.path, 0o600)
    }

    private func refusal() throws -> String? {
        do throws(StoreHeader.Refusal) {
            _ = try self.file.read()
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `what is written is read again`() throws {
        #expect(try self.file.read() == nil)
        let size = try self.file.write(.sample)
        #expect(try self.file.read() == .sample)
        #expect(try self.bytes.count == size)
        _ = try self.file.write(.small)
        #expect(try self.file.read() == .small)
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path) == ["catalog.json"])
    }

    @Test(arguments: 0..<UInt64(200))
    func `any text comes back as it was`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let catalog = StoredCatalog.random(&random)
        _ = try self.file.write(catalog)
        #expect(try self.file.read() == catalog)
    }

    @Test func `one catalog has one text, which is JSON after the first line`() throws {
        _ = try self.file.write(.sample)
        let first = try self.bytes
        _ = try self.file.write(.sample)
        #expect(try self.bytes == first)
        #expect(first.prefix(StoreHeader.length).last == UInt8(ascii: "\n"))
        let json = try JSONSerialization.jsonObject(with: Data(first[StoreHeader.length...])) as? [String: Any]
        let sources = try #require(json?["sources"] as? [String: [String: Any]])
        #expect(sources.keys.sorted() == ["consul", "file", "nomad"])
        let services = try #require(sources["consul"]?["services"] as? [[String: Any]])
        let instance = try #require((services[0]["instances"] as? [[String: Any]])?.first)
        #expect(instance["tags"] as? [String] == ["a\"b\\c\n\u{1}\u{7F}é\u{1F600}", "v1"])
    }

    @Test func `a flip of any bit is refused`() throws {
        _ = try self.file.write(.small)
        let good = try self.bytes
        for index in good.indices {
            for bit in 0..<8 {
                var bad = good
                bad[index] ^= 1 << bit
                #expect(throws: StoreHeader.Refusal.self, "byte \(index) bit \(bit)") { try StoreHeader(of: bad) }
            }
        }
    }

    @Test func `a file that is cut short or longer is refused`() throws {
        _ = try self.file.write(.small)
        let good = try self.bytes
        for length in 0..<good.count {
            #expect(throws: StoreHeader.Refusal.self, "\(length)") { try StoreHeader(of: Array(good.prefix(length))) }
        }
        try self.replace(good + [UInt8(ascii: "\n")])
        let length = good.count - StoreHeader.length
        #expect(try self.refusal() == "it has \(length + 1) bytes and should have \(length)")
    }

    @Test func `it is said why a file is refused`() throws {
        _ = try self.file.write(.small)
        let good = try self.bytes
        try self.replace(Array("{}".utf8))
        #expect(try self.refusal() == "it is no stored catalog")
        try self.replace(Array(String(decoding: good, as: UTF8.self).replacing("catalog 2 ", with: "catalog 3 ").utf8))
        #expect(try self.refusal() == "it is of another version than 1 or 2")
        try self.replace(Array(String(decoding: good, as: UTF8.self).replacing("10.0.0.1", with: "10.0.0.2").utf8))
        #expect(try self.refusal() == "its checksum is wrong")
        try self.replace(good)
        chmod(self.file.path, 0o620)
        #expect(try self.refusal() == "others may write to it")
        chmod(self.file.path, 0o602)
        #expect(try self.refusal() == "others may write to it")
        chmod(self.file.path, 0o644)
        #expect(try self.refusal() == nil)
    }

    @Test func `a file of version 1 is read, which has one time for all parts`() throws {
        _ = try self.file.write(.small)
        let new = String(decoding: try self.bytes.dropFirst(StoreHeader.length), as: UTF8.self)
        let old = Array(new.replacing(#""heardAt":{"services":5}"#, with: #""heardAt":5"#).utf8)
        #expect(old.count < new.utf8.count)
        var hash = SHA256()
        hash.update(data: old)
        let header = StoreHeader(version: 1, savedAt: 5, length: old.count, hash: hash)
        #expect(header.line.utf8.count == StoreHeader.length)
        try self.replace(Array(header.line.utf8) + old)
        #expect(try self.file.read() == .small)
    }

    @Test func `what is no file is refused without waiting for it`() throws {
        mkfifo(self.file.path, 0o600)
        #expect(try self.refusal() == "it is no regular file")
        try self.directory.remove("catalog.json")
        try self.directory.makeDirectory("catalog.json")
        #expect(try self.refusal() == "it is no regular file")
        try self.directory.remove("catalog.json")
        try self.directory.link("catalog.json", to: "/etc/passwd")
        #expect(try self.refusal() == "it is a symbolic link")
    }

    @Test(arguments: [
        "", "{", "[]", "{}x", #"{"sources":{"vault":{}}}"#, #"{"sources":{"consul":{"services":[{"name":1}]}}}"#,
        #"{"sources":{"consul":{"services":[{"name":"a","instances":[{"port":70000}]}]}}}"#,
        #"{"sources":{"consul":{"services":[{"name":"a","instances":[{"weight":-1}]}]}}}"#,
        #"{"sources":{"consul":{"services":[{"name":"a","instances":[{"health":"well"}]}]}}}"#,
        #"{"sources":{"consul":{"heardAt":{"services":1.5}}}}"#, #"{"sources":{"consul":{"heardAt":5}}}"#,
        #"{"sources":{"consul":{"heardAt":{"services":99999999999999999999}}}}"#,
        #"{"sources":{"consul":{"heardAt":{"unknown":1}}}}"#,
        #"{"sources":{"consul":{"unknown":1}}}"#, #"{"sources":{"consul":{"services":[{"name":"\u12"#,
        #"{"sources":{"consul":{"services":[{"name":"\ud800"#, #"{"sources":{"consul":{"services":[{"name":"\"#,
        #"{"sources":{"consul":{"services":[{"name":"a"#, String(repeating: "[", count: 100_000),
        String(repeating: #"{"sources":"#, count: 100_000),
    ])
    func `a text with a right checksum that is no catalog is a fault and no crash`(text: String) {
        #expect(throws: JSONScanner.Fault.self) {
            try StoredCatalog(savedAt: 0, decoding: Array(text.utf8), from: 0)
        }
    }

    @Test(arguments: 0..<UInt64(20))
    func `damage that a checksum would not show is a fault or another catalog, and no crash`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        _ = try self.file.write(.sample)
        let good = Array(try self.bytes[StoreHeader.length...])
        var (faults, catalogs) = (0, 0)
        for _ in 0..<200 {
            var bad = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bad.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bad[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bad.remove(at: index)
                default: bad.insert(#"{}[]",:\u0"#.utf8.randomElement(using: &random) ?? 0, at: index)
                }
            }
            let catalog: StoredCatalog
            do throws(JSONScanner.Fault) {
                catalog = try StoredCatalog(savedAt: 0, decoding: bad, from: 0)
            } catch {
                #expect((0...bad.count).contains(error.offset))
                faults += 1
                continue
            }
            catalogs += 1
            // Whatever it is, it is one: what is made of it can be stored.
            var text: [UInt8] = []
            catalog.encode { text += $0 }
            #expect(try StoredCatalog(savedAt: 0, decoding: text, from: 0) == catalog)
        }
        #expect(faults > 0)
        #expect(catalogs > 0)
    }

    @Test func `what was refused is kept under another name, every time`() throws {
        for number in 0..<3 {
            try self.replace(Array("bad \(number)".utf8))
            #expect(self.file.setAside() == self.file.path + ".refused" + (number == 0 ? "" : ".\(number)"))
        }
        let kept = try String(contentsOfFile: self.file.path + ".refused.2", encoding: .utf8)
        #expect(kept == "bad 2")
        #expect(try self.file.read() == nil)
    }

    @Test func `it is for its owner only, and whatever stands in its way is replaced`() throws {
        #expect(FileManager.default.createFile(atPath: self.file.newPath, contents: Data("left over".utf8)))
        try self.directory.link("catalog.json", to: "/etc/passwd")
        _ = try self.file.write(.small)
        var status = stat()
        lstat(self.file.path, &status)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(try self.file.read() == .small)
    }

    @Test func `a write that fails leaves what was there`() throws {
        _ = try self.file.write(.small)
        // In the way of the new file, and no file to be removed.
        mkdir(self.file.newPath, 0o700)
        #expect(throws: StoreFile.Failure.self) { try self.file.write(.sample) }
        #expect(try self.file.read() == .small)
    }

    @Test func `what another process has written half is not put in place`() throws {
        let other = StoreFile(directory: self.directory.path)
        #expect(FileManager.default.createFile(atPath: other.newPath, contents: Data("half".utf8)))
        _ = try self.file.write(.small)
        #expect(try self.file.read() == .small)
        #expect(try String(contentsOfFile: other.newPath, encoding: .utf8) == "half")
    }

    @Test func `what processes left behind is removed at the start, and nothing else`() throws {
        let names = ["catalog.json.refused", "other.new"]
        for name in names + [".catalog.json.new", ".catalog.json.5f.new"] { try self.directory.write("", to: name) }
        self.file.removeLeftovers()
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: self.directory.path).count == 4,
            "somebody may be at it"
        )
        self.file.removeLeftovers(olderThan: -10)
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path).sorted() == names)
        StoreFile(directory: self.directory("none")).removeLeftovers()
    }
}
