// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// A setting of a source: its key, what the flag and the document say of it, and its type.
struct SourceSetting: Sendable {
    enum Kind: Sendable {
        case text
        /// Never a flag: whoever lists processes would see it.
        case secret
        case list
        case flag(default: Bool)
        case number(ClosedRange<Int>, default: Int)
        case choice([String], default: String)
    }

    var key: String
    var kind: Kind

    var isSecret: Bool {
        if case .secret = self.kind { true } else { false }
    }
}

/// The values of `SourceSetting`s, each of the right type and within its range.
struct SourceValues: Sendable {
    private var texts: [String: String] = [:]
    private var lists: [String: [String]] = [:]
    private var flags: [String: Bool] = [:]
    private var numbers: [String: Int] = [:]

    init(_ reader: ConfigReader, of settings: [SourceSetting]) throws {
        for setting in settings {
            let key = ConfigKey(setting.key)
            switch setting.kind {
            // One that is empty is not set, as in HashiCorp's own programs.
            case .text: self.texts[setting.key] = reader.string(forKey: key).flatMap { $0.isEmpty ? nil : $0 }
            case .secret:
                let secret = reader.string(forKey: key, isSecret: true).flatMap { $0.isEmpty ? nil : $0 }
                guard secret?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true else {
                    throw SettingsError(description: "\(setting.key) holds white space or signs that are in no token")
                }
                self.texts[setting.key] = secret
            case .list:
                let list = reader.stringArray(forKey: key)?.filter { !$0.isEmpty } ?? []
                self.lists[setting.key] = list.isEmpty ? nil : list
            case .flag(let standard): self.flags[setting.key] = reader.bool(forKey: key, default: standard)
            case .number(let range, let standard):
                let value = reader.int(forKey: key, default: standard)
                guard range.contains(value) else {
                    throw SettingsError(
                        description: "\(setting.key) is \(range.lowerBound) to \(range.upperBound), not \(value)"
                    )
                }
                self.numbers[setting.key] = value
            case .choice(let choices, let standard):
                let value = reader.string(forKey: key, default: standard)
                guard choices.contains(value) else {
                    throw SettingsError(
                        description: "\(setting.key) '\(value)' is not one of: \(choices.joined(separator: ", "))"
                    )
                }
                self.texts[setting.key] = value
            }
        }
    }

    func text(_ key: String) -> String? { self.texts[key] }
    func list(_ key: String) -> [String]? { self.lists[key] }
    func flag(_ key: String) -> Bool { self.flags[key] ?? false }
    func number(_ key: String) -> Int { self.numbers[key] ?? 0 }
}

enum SourceSettings {
    static let all = Self.consul + Self.nomad + Self.catalog

    /// What must be enabled for its settings to mean anything.
    static let sources = [(prefix: "consul", name: "Consul"), (prefix: "nomad", name: "Nomad")]

    /// Their values are never shown.
    static let secrets = Set(Self.all.filter(\.isSecret).map(\.key))

    static let consul: [SourceSetting] = [
        .init(key: "consul.enabled", kind: .flag(default: false)),
        .init(key: "consul.address", kind: .text),
        .init(key: "consul.token", kind: .secret),
        .init(key: "consul.token.file", kind: .text),
        .init(key: "consul.auth.method", kind: .text),
        .init(key: "consul.auth.token.file", kind: .text),
        .init(key: "consul.namespace", kind: .text),
        .init(key: "consul.partition", kind: .text),
        .init(key: "consul.datacenters", kind: .list),
        .init(key: "consul.services", kind: .list),
        .init(key: "consul.filter", kind: .text),
        .init(key: "consul.exposed.by.default", kind: .flag(default: true)),
        .init(key: "consul.health", kind: .choice(["passing", "warning", "any"], default: "warning")),
        .init(key: "consul.require.check", kind: .flag(default: false)),
        .init(key: "consul.tagged.address", kind: .text),
        .init(key: "consul.config.entries", kind: .flag(default: true)),
        .init(key: "consul.kv.prefix", kind: .text),
    ]

    static let nomad: [SourceSetting] = [
        .init(key: "nomad.enabled", kind: .flag(default: false)),
        .init(key: "nomad.address", kind: .text),
        .init(key: "nomad.token", kind: .secret),
        .init(key: "nomad.token.file", kind: .text),
        .init(key: "nomad.region", kind: .text),
        .init(key: "nomad.namespace", kind: .text),
        .init(key: "nomad.require.check", kind: .flag(default: false)),
    ]

    /// Of the catalog that the sources make together.
    static let catalog: [SourceSetting] = [
        .init(key: "state.directory", kind: .text),
        .init(key: "catalog.removal.percent", kind: .number(0...100, default: 50)),
        .init(key: "catalog.removal.services", kind: .number(0...1_000_000, default: 5)),
        .init(key: "catalog.removal.instances", kind: .number(0...1_000_000, default: 20)),
        .init(key: "catalog.removal.window.seconds", kind: .number(1...86_400, default: 60)),
        .init(key: "catalog.removal.grace.seconds", kind: .number(0...86_400, default: 60)),
        .init(key: "catalog.vanished.grace.seconds", kind: .number(0...86_400, default: 60)),
        .init(key: "catalog.allow.addresses", kind: .list),
        .init(key: "catalog.deny.addresses", kind: .list),
        .init(key: "tags.prefix", kind: .text),
        .init(key: "tags.gateways", kind: .list),
        .init(key: "tags.domain", kind: .text),
        .init(key: "tags.require.enable", kind: .flag(default: false)),
        .init(key: "tags.hosts", kind: .list),
    ]
}
