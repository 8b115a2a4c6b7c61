// SPDX-License-Identifier: Apache-2.0

import EnvoyTranslation
import Foundation
import SwiftProtobuf
import Testing

/// The golden files beside this one: protobuf JSON, an object of a list per kind of resource. After a change that is
/// meant, write them anew with `UPDATE_GOLDENS=1 swift test --filter EnvoyTranslationTests` and read the difference.
enum Goldens {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

    static func expect(
        _ resources: [TranslatedResource],
        toEqual name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = self.folder.appending(path: "\(name).json")
        let actual = try self.json(resources)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
            try actual.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        #expect(actual == golden, "\(file.path())", sourceLocation: sourceLocation)
    }

    static var names: Set<String> {
        get throws {
            let files = try FileManager.default.contentsOfDirectory(atPath: self.folder.path())
            return Set(files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(".json".count)) })
        }
    }

    static func json(_ resources: [TranslatedResource]) throws -> String {
        EnvoyTypes.register()
        var lists: [String: [Any]] = [:]
        for resource in resources {
            let bytes: [UInt8] = try resource.message.jsonUTF8Bytes()
            lists["\(resource.kind)", default: []].append(try JSONSerialization.jsonObject(with: Data(bytes)))
        }
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let json = try JSONSerialization.data(withJSONObject: lists, options: options)
        return String(decoding: json, as: UTF8.self) + "\n"
    }
}
