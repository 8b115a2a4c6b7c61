// SPDX-License-Identifier: Apache-2.0

import Catalog
import ControlPlane
import Discovery
import HashiCorpAPI
import Logging
import ServicePolicy
import XDSServer

extension Settings {
    /// The sources beside the files, in the order of their names.
    func makeSources(logger: Logger) throws -> [any ServiceSource] {
        var sources: [any ServiceSource] = []
        if self.sources.flag("consul.enabled") { sources.append(try self.consul(logger: logger)) }
        if self.sources.flag("nomad.enabled") { sources.append(try self.nomad(logger: logger)) }
        return sources
    }

    var pipelineOptions: Pipeline.Options {
        get throws {
            Pipeline.Options(
                documents: self.documentOptions,
                catalogGuard: CatalogGuard.Settings(required: self.requiredParts, rules: try self.sourceRules),
                followed: self.followedParts,
                tags: try self.tagOptions,
                datacenters: self.sources.list("consul.datacenters") ?? []
            )
        }
    }

    /// Where the last known good is kept; nil: nowhere. Systemd names a directory by `STATE_DIRECTORY`.
    var stateDirectory: String? {
        self.sources.text("state.directory")
            ?? Environment.variable("STATE_DIRECTORY").flatMap { $0.split(separator: ":").first.map(String.init) }
    }

    // MARK: Consul

    private func consul(logger: Logger) throws -> ConsulSource {
        let environment = try self.consulEnvironment
        var configuration = ConsulConfiguration()
        configuration.datacenters = self.sources.list("consul.datacenters") ?? []
        guard Set(configuration.datacenters).count == configuration.datacenters.count else {
            throw SettingsError(description: "consul.datacenters names a datacenter twice")
        }
        guard configuration.datacenters.count <= ConsulConfiguration.maximumDatacenters else {
            throw SettingsError(
                description: "consul.datacenters are \(ConsulConfiguration.maximumDatacenters) at most"
            )
        }
        configuration.services = self.sources.list("consul.services") ?? configuration.services
        configuration.tagPrefix = self.sources.text("tags.prefix") ?? configuration.tagPrefix
        if let pattern = configuration.services.first(where: { $0.dropLast().contains("*") }) {
            throw SettingsError(
                description:
                    "consul.services: \(pattern.excerpt) has a * that is not at its end: write the names, or web-* "
                    + "for all that begin so"
            )
        }
        configuration.isExposedByDefault = self.sources.flag("consul.exposed.by.default")
        configuration.filter = self.sources.text("consul.filter")
        configuration.routedHealth =
            self.sources.text("consul.health").flatMap(ConsulConfiguration.RoutedHealth.init) ?? .warning
        configuration.requiresCheck = self.sources.flag("consul.require.check")
        configuration.address = self.sources.text("consul.tagged.address").map { .tagged($0) } ?? .service
        configuration.namespace = self.sources.text("consul.namespace") ?? environment.namespace
        configuration.partition = self.sources.text("consul.partition") ?? environment.partition
        configuration.followsConfigEntries = self.sources.flag("consul.config.entries")
        configuration.keyPrefix = self.sources.text("consul.kv.prefix")
        switch (self.sources.text("consul.auth.method"), self.sources.text("consul.auth.token.file")) {
        case (let method?, let file?): configuration.login = .init(method: method, jwtFile: file)
        case (nil, nil): break
        default:
            throw SettingsError(description: "consul.auth.method and consul.auth.token.file go together")
        }
        return ConsulSource(configuration: configuration, agent: try self.consulAgent, logger: logger)
    }

    private func nomad(logger: Logger) throws -> NomadSource {
        let environment = try self.nomadEnvironment
        let namespaces = (self.sources.text("nomad.namespace") ?? environment.namespace ?? "")
            .split(separator: ",").map(String.init)
        guard namespaces.count <= NomadConfiguration.maximumNamespaces else {
            throw SettingsError(
                description: "nomad.namespace names \(NomadConfiguration.maximumNamespaces) at most, or * for all"
            )
        }
        let configuration = NomadConfiguration(
            region: self.sources.text("nomad.region") ?? environment.region,
            namespaces: namespaces,
            requiredChecks: self.sources.flag("nomad.require.check") ? .all : .none
        )
        return NomadSource(
            configuration: configuration,
            agent: try self.nomadAgent,
            logger: logger
        )
    }

    // MARK: The catalog

    /// What is taken of each source.
    private var followedParts: [SourceName: Set<CatalogGuard.Part>] {
        var parts: [SourceName: Set<CatalogGuard.Part>] = [:]
        if self.sources.flag("consul.enabled") {
            parts[.consul] = [.services]
            if self.sources.flag("consul.config.entries") { parts[.consul]?.insert(.configEntries) }
            if self.sources.text("consul.kv.prefix") != nil { parts[.consul]?.insert(.documents) }
        }
        if self.sources.flag("nomad.enabled") { parts[.nomad] = [.services] }
        return parts
    }

    /// What nothing is served without. Beside Consul, Nomad is waited for a while only.
    private var requiredParts: [SourceName: Set<CatalogGuard.Part>] {
        let parts = self.followedParts
        return parts.filter { $0.key != .nomad || parts[.consul] == nil }
    }

    private var sourceRules: [SourceName: CatalogGuard.SourceRules] {
        get throws {
            var rules = CatalogGuard.SourceRules()
            rules.fraction = self.sources.number("catalog.removal.percent")
            rules.serviceLimit = self.sources.number("catalog.removal.services")
            rules.instanceLimit = self.sources.number("catalog.removal.instances")
            rules.window = .seconds(self.sources.number("catalog.removal.window.seconds"))
            rules.grace = .seconds(self.sources.number("catalog.removal.grace.seconds"))
            rules.lastInstanceGrace = .seconds(self.sources.number("catalog.vanished.grace.seconds"))
            var texts = TextLimits()
            if let prefix = self.sources.text("tags.prefix") { texts.routeTagPrefix = prefix }
            rules.input = InputRules(addresses: try self.addressRules, texts: texts)
            return [.consul: rules, .nomad: rules]
        }
    }

    private var tagOptions: TagOptions {
        get throws {
            var options = TagOptions()
            if let prefix = self.sources.text("tags.prefix") { options.prefix = prefix }
            options.defaultGateways = try (self.sources.list("tags.gateways") ?? []).map { text in
                guard let address = GatewayAddress(text) else {
                    throw SettingsError(description: "tags.gateways: '\(text)' is no gateway and no listener of one")
                }
                return address
            }
            options.defaultDomain = self.sources.text("tags.domain")
            options.requiresEnable = self.sources.flag("tags.require.enable")
            do {
                options.ownership = try HostOwnership(parsing: self.sources.list("tags.hosts") ?? [])
            } catch {
                throw SettingsError(description: "tags.hosts: \(error)")
            }
            if let problem = options.problem { throw SettingsError(description: problem) }
            return options
        }
    }
}
