// SPDX-License-Identifier: Apache-2.0

import Configuration
import FoundationEssentials
import Synchronization
import SystemPackage
import Yams

/// Where settings come from, in their order of precedence: flags, environment, file.
enum SettingsSources {
    /// - Parameters:
    ///   - flags: what was given on the command line, by key.
    ///   - file: a YAML file, if one was given.
    static func read(flags: [String: ConfigValue], file: String?) async throws -> Settings {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in flags {
            values[AbsoluteConfigKey(key.split(separator: ".").map(String.init))] = value
        }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(values: values),
            EnvironmentVariablesProvider().prefixKeys(with: "signalbox"),
        ]
        if let file {
            try self.refuseUnknownKeys(in: file)
            providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(file)))
        }
        let refused = RefusedValues()
        let settings = try Settings(ConfigReader(providers: providers, accessReporter: refused))
        if let first = refused.first { throw SettingsError(description: first) }
        return settings
    }

    /// A setting that is misspelled must not be a setting that is silently not set.
    private static func refuseUnknownKeys(in file: String) throws {
        let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
        guard let root = try Yams.compose(yaml: text) else { return }
        func check(_ node: Node, _ path: String) throws {
            guard case .mapping(let mapping) = node else {
                guard Settings.keys.contains(path) else {
                    throw SettingsError(description: "\(file): there is no setting '\(path)'")
                }
                return
            }
            for (key, value) in mapping {
                try check(value, path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")")
            }
        }
        try check(root, "")
    }
}

/// Takes note of values that are there and cannot be used, which the reader itself would pass over for the default.
private final class RefusedValues: AccessReporter {
    private let messages = Mutex<[String]>([])

    var first: String? { self.messages.withLock { $0.first } }

    func report(_ event: AccessEvent) {
        // In the order of `SettingsSources.read`.
        let places = ["the command line", "the environment", "the settings file"]
        for (place, provider) in zip(places, event.providerResults) {
            guard case .failure = provider.result else { continue }
            self.messages.withLock {
                $0.append("\(event.metadata.key) in \(place) is not of type \(event.metadata.valueType.rawValue)")
            }
        }
    }
}
