// SPDX-License-Identifier: Apache-2.0

import Configuration
import Documents
import Logging
import Telemetry
import XDSServer

/// How the server is set up: a flag over the environment (`SIGNALBOX_*`) over the settings file over the default.
struct Settings {
    static let defaultXDSAddress = "127.0.0.1:18000"
    static let defaultAdminAddress = "127.0.0.1:18001"

    /// Nil: they are in a source, or there are none.
    var documents: String?
    var xdsAddresses: [NetworkAddress]
    var adminAddress: NetworkAddress
    var logLevel: Logger.Level
    var logFormat: LogFormat
    var documentOptions: DocumentSet.Options
    var listenerLimits: XDSListener.Limits
    var streamLimits: StreamLimits
    /// By the keys of `SourceSettings`.
    var sources: SourceValues
    /// Variables that look like settings and are none.
    var unknownVariables: [String] = []
}

/// A setting that cannot be used, and where it is set.
struct SettingsError: Error, CustomStringConvertible {
    var description: String
}

extension Settings {
    /// Every key, as in the settings file with dots between the levels.
    static let keys = Set([
        "documents", "xds.listen", "admin.listen", "log.level", "log.format", "removal.guard", "allow.envoy.resources",
    ]).union(LimitSettings.all.map(\.key)).union(SourceSettings.all.map(\.key))

    /// - Parameter reader: the providers in their order of precedence.
    init(_ reader: ConfigReader) throws {
        self.sources = try SourceValues(reader, of: SourceSettings.all)
        self.documents = reader.string(forKey: "documents").flatMap { $0.isEmpty ? nil : $0 }
        let hasKeys = self.sources.flag("consul.enabled") && self.sources.text("consul.kv.prefix") != nil
        guard self.documents != nil || hasKeys else {
            throw SettingsError(
                description:
                    "no documents, and so no gateway: give --documents DIR, SIGNALBOX_DOCUMENTS or 'documents' in the "
                    + "settings file, or --consul with --consul-kv-prefix where they are in Consul"
            )
        }
        self.xdsAddresses = try reader.stringArray(forKey: "xds.listen", default: [Self.defaultXDSAddress])
            .map { try Self.address($0, setting: "xds.listen") }
        guard !self.xdsAddresses.isEmpty else { throw SettingsError(description: "xds.listen is empty") }
        self.adminAddress = try Self.address(
            reader.string(forKey: "admin.listen", default: Self.defaultAdminAddress),
            setting: "admin.listen"
        )
        guard self.adminAddress.isLocal else {
            throw SettingsError(
                description:
                    "admin.listen \(self.adminAddress) is not a loopback address: the admin listener asks nobody "
                    + "who they are, so it serves this machine only"
            )
        }
        let addresses = self.xdsAddresses + [self.adminAddress]
        for (index, address) in addresses.enumerated()
        where address.hasFixedPort && addresses[..<index].contains(address) {
            throw SettingsError(
                description:
                    "\(address) is set twice in xds.listen and admin.listen: give each listener its own address"
            )
        }
        self.logLevel = try Self.choice(reader.string(forKey: "log.level", default: "info"), setting: "log.level")
        self.logFormat = try Self.choice(reader.string(forKey: "log.format", default: "text"), setting: "log.format")
        self.documentOptions = DocumentSet.Options()
        self.documentOptions.removalGuard = reader.int(forKey: "removal.guard", default: 50)
        guard (0...100).contains(self.documentOptions.removalGuard) else {
            throw SettingsError(description: "removal.guard is a percentage, 0 (off) to 100")
        }
        self.documentOptions.allowRawResources = reader.bool(forKey: "allow.envoy.resources", default: false)
        (self.listenerLimits, self.streamLimits) = try LimitSettings.read(reader)
    }

    private static func address(_ text: String, setting: String) throws -> NetworkAddress {
        let address = NetworkAddress(text)
        if case .name = address {
            throw SettingsError(description: "\(setting) '\(text)' is a host name: give the address to listen on")
        }
        guard let address else {
            throw SettingsError(description: "\(setting) '\(text)' is neither host:port nor unix:PATH")
        }
        return address
    }

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ text: String,
        setting: String
    ) throws -> Value {
        guard let value = Value(rawValue: text) else {
            let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(description: "\(setting) '\(text)' is not one of: \(allowed)")
        }
        return value
    }
}

extension NetworkAddress {
    fileprivate var hasFixedPort: Bool {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port), .name(_, let port): port != 0
        case .unix: true
        }
    }
}
