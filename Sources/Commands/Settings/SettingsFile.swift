// SPDX-License-Identifier: Apache-2.0

import Catalog
import FoundationEssentials
import Yams

/// The settings file as its author sees it: what is where. The values are read by others.
struct SettingsFile: Sendable {
    struct Entry: Sendable {
        /// `FILE:LINE`.
        var place: String
        /// As far as it is one text.
        var value: String?
    }

    /// By key.
    private(set) var places: [String: Entry] = [:]
    private let path: String

    /// - Throws: if it cannot be read, or a key is not known: a setting that is misspelled must not be a setting that is
    ///   silently not set.
    init(path: String) throws(SettingsError) {
        self.path = path
        let text = try Self.read(path)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw SettingsError(description: "\(path)\(Self.fault(error))")
        }
        guard let root else { return }
        guard case .mapping = root else {
            if case .scalar(let scalar) = root, scalar.string.isEmpty { return }
            throw SettingsError(description: "the settings file \(path) is no mapping of keys to values")
        }
        try self.add(root, key: "")
    }

    private mutating func add(_ node: Node, key: String) throws(SettingsError) {
        if case .mapping(let mapping) = node {
            for (name, value) in mapping {
                let name = name.string ?? ""
                try self.add(value, key: key.isEmpty ? name : "\(key).\(name)")
            }
            return
        }
        let place = "\(self.path)\(node.mark.map { ":\($0.line)" } ?? "")"
        guard Settings.keys.contains(key) else {
            let isSource = SourceSettings.sources.contains { $0.prefix == key }
            let nearest = isSource ? "\(key).enabled" : Spelling.nearest(to: key, among: Settings.keys.sorted())
            let cure = nearest.map { "; \"\($0)\" may be meant" } ?? ""
            throw SettingsError(description: "\(place): there is no setting \(key.excerpt)\(cure)")
        }
        if case .scalar(let scalar) = node, scalar.string.isEmpty {
            throw SettingsError(description: "\(place): \(key) is empty: give it a value, or leave it out")
        }
        self.places[key] = Entry(place: place, value: node.scalar?.string)
    }

    /// Goes on with ", and ... is wanted".
    func description(of key: String) -> String {
        guard let entry = self.places[key] else { return "\(self.path): \(key)" }
        guard !SourceSettings.secrets.contains(key), let value = entry.value else { return "\(entry.place): \(key)" }
        return "\(entry.place): \(key) is \(value.excerpt)"
    }

    private static func read(_ path: String) throws(SettingsError) -> String {
        do {
            return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        } catch {
            let reason =
                switch (error as? CocoaError)?.code {
                case .fileReadNoSuchFile?, .fileNoSuchFile?: "there is no such file"
                case .fileReadNoPermission?: "it may not be read"
                default: "it is no file that can be read"
                }
            throw SettingsError(description: "the settings file \(path) cannot be read: \(reason)")
        }
    }

    /// Goes on from the path.
    private static func fault(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?:
            ":\(mark.line): no YAML: \(problem)"
        case .composer(_, let problem, let mark, _)?: ":\(mark.line): no YAML: \(problem)"
        case .duplicatedKeysInMapping(let keys, _)?: ": a key is there twice: \("\(keys.first ?? "")".excerpt)"
        default: " is no YAML that can be read"
        }
    }
}
