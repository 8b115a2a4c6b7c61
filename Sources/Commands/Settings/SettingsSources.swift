// SPDX-License-Identifier: Apache-2.0

import Configuration
import FoundationEssentials
import Synchronization
import SystemPackage

/// Where settings come from, in their order of precedence: flags, environment, file.
enum SettingsSources {
    /// - Parameters:
    ///   - flags: what was given on the command line, by key.
    ///   - environment: all variables of the process.
    ///   - file: a YAML file, if one was given.
    static func read(
        flags: [String: ConfigValue],
        environment: [String: String],
        file: String?
    ) async throws -> Settings {
        let variables = SettingsVariables(environment)
        let written = try file.map { try SettingsFile(path: $0) }
        if let empty = flags.filter({ $0.value.isEmpty }).keys.min() {
            throw SettingsError(description: "\(Settings.flag(of: empty)) is empty: give it a value, or leave it out")
        }
        for source in SourceSettings.sources {
            let given =
                flags.keys.filter { $0.hasPrefix("\(source.prefix).") }.map { ($0, Settings.flag(of: $0)) }
                + variables.given.filter { $0.key.hasPrefix("\(source.prefix).") }
                + (written?.places ?? [:]).filter { $0.key.hasPrefix("\(source.prefix).") }
                .map { ($0.key, "\($0.key) in \($0.value.place)") }
            // Whoever says that the source is off knows it.
            guard !given.contains(where: { $0.0 == "\(source.prefix).enabled" }) else { continue }
            guard let first = given.min(by: { $0 < $1 }) else { continue }
            throw SettingsError(
                description: "\(first.1) has no effect, for \(source.name) is no source: add --\(source.prefix) "
                    + "(SIGNALBOX_\(source.prefix.uppercased())=true, or \(source.prefix).enabled in the settings file), "
                    + "or take it out"
            )
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in flags {
            values[AbsoluteConfigKey(key.split(separator: ".").map(String.init))] = value
        }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(values: values),
            EnvironmentVariablesProvider(environmentVariables: variables.all).prefixKeys(with: "signalbox"),
        ]
        if let file {
            do {
                providers.append(try await FileProvider<YAMLSnapshot>(filePath: FilePath(file)))
            } catch {
                throw SettingsError(description: "the settings file \(file) cannot be used: \(error)")
            }
        }
        let refused = RefusedValues(variables: variables, file: written)
        var settings: Settings
        do {
            settings = try Settings(ConfigReader(providers: providers, accessReporter: refused))
        } catch {
            throw refused.first.map { SettingsError(description: $0) } ?? error
        }
        if let first = refused.first { throw SettingsError(description: first) }
        settings.unknownVariables = variables.unknown
        return settings
    }
}

extension ConfigValue {
    /// Whether it is a text, or a list with one, that says nothing.
    fileprivate var isEmpty: Bool {
        switch self.content {
        case .string(let text): text.isEmpty
        case .stringArray(let texts): texts.contains("")
        default: false
        }
    }
}

/// Takes note of values that are there and cannot be used, which the reader itself would pass over for the default.
private final class RefusedValues: AccessReporter {
    private let variables: SettingsVariables
    private let file: SettingsFile?
    private let messages = Mutex<[String]>([])

    init(variables: SettingsVariables, file: SettingsFile?) {
        self.variables = variables
        self.file = file
    }

    var first: String? { self.messages.withLock { $0.first } }

    func report(_ event: AccessEvent) {
        let key = event.metadata.key.description
        // In the order of `SettingsSources.read`.
        for (index, provider) in event.providerResults.enumerated() {
            guard case .failure = provider.result else { continue }
            let subject =
                switch index {
                case 0: Settings.flag(of: key)
                case 1: self.variables.description(of: key)
                default: self.file?.description(of: key) ?? key
                }
            self.messages.withLock { $0.append("\(subject), and \(Self.wanted(event.metadata.valueType)) is wanted") }
        }
    }

    private static func wanted(_ type: ConfigType) -> String {
        switch type {
        case .bool: "true or false"
        case .int: "a whole number"
        case .stringArray: "a list, such as [one, two],"
        case .string: "a text"
        default: type.rawValue
        }
    }
}
