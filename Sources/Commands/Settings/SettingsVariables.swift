// SPDX-License-Identifier: Apache-2.0

import Catalog

/// The variables of the environment that are settings: `SIGNALBOX_XDS_LISTEN` for `xds.listen`.
struct SettingsVariables: Sendable {
    private static let prefix = "SIGNALBOX_"
    /// What the flag is called, and the key is not.
    private static let shortNames = ["SIGNALBOX_CONSUL": "consul.enabled", "SIGNALBOX_NOMAD": "nomad.enabled"]
    /// Of the tests and the benchmarks: whoever works on Signalbox has them set.
    private static let others = ["SIGNALBOX_BIN", "SIGNALBOX_SOAK", "SIGNALBOX_ODD"]
    private static let otherPrefix = "SIGNALBOX_FUZZ_"

    /// Of the process, each setting under the name that is made of its key.
    private(set) var all: [String: String]
    /// Settings that are set, by their keys, and the names of their variables. One that is empty is not set.
    private(set) var given: [String: String] = [:]
    /// What looks like a setting and is none, in order, each with the cure if one can be guessed.
    private(set) var unknown: [String] = []

    init(_ environment: [String: String]) {
        self.all = environment
        let keys = Dictionary(Settings.keys.map { (Self.name(of: $0), $0) }) { first, _ in first }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(Self.prefix) {
            if let key = keys[name] ?? Self.shortNames[name] {
                if value.isEmpty {
                    // As in HashiCorp's own programs.
                    self.all[name] = nil
                } else if self.given[key] == nil || keys[name] != nil {
                    self.given[key] = name
                    self.all[Self.name(of: key)] = value
                }
            } else if !Self.others.contains(name), !name.hasPrefix(Self.otherPrefix) {
                let nearest = Spelling.nearest(to: name, among: keys.keys.sorted())
                self.unknown.append(nearest.map { "\(name) (\($0)?)" } ?? name)
            }
        }
    }

    /// Goes on with ", and ... is wanted".
    func description(of key: String) -> String {
        let name = self.given[key] ?? Self.name(of: key)
        guard !SourceSettings.secrets.contains(key), let value = self.all[Self.name(of: key)] else { return name }
        return "\(name) is \(value.excerpt)"
    }

    static func name(of key: String) -> String {
        Self.prefix + key.uppercased().replacing(".", with: "_")
    }
}

extension Settings {
    /// What people write on the command line for a key.
    static func flag(of key: String) -> String {
        let name = key.hasSuffix(".enabled") ? String(key.dropLast(".enabled".count)) : key
        return "--" + name.replacing(".", with: "-")
    }
}
