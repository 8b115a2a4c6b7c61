// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

/// The flags of `SourceSettings.consul`.
struct ConsulOptions: ParsableArguments {
    @Flag(name: .customLong("consul"), help: "Take services from Consul. Its own CONSUL_* variables count.")
    var enabled = false

    @Option(help: ArgumentHelp("Its HTTP API (http://127.0.0.1:8500): as CONSUL_HTTP_ADDR.", valueName: "address"))
    var consulAddress: String?

    @Option(help: ArgumentHelp("The file of its token, read again when it changes.", valueName: "path"))
    var consulTokenFile: String?

    @Option(help: ArgumentHelp("Log in by this auth method.", valueName: "name"))
    var consulAuthMethod: String?

    @Option(help: ArgumentHelp("The JWT to log in with, such as Nomad's workload identity.", valueName: "path"))
    var consulAuthTokenFile: String?

    @Option(help: ArgumentHelp("Enterprise only.", valueName: "name"))
    var consulNamespace: String?

    @Option(help: ArgumentHelp("Enterprise only.", valueName: "name"))
    var consulPartition: String?

    @Option(help: ArgumentHelp("The one to prefer first; may be repeated (the agent's own).", valueName: "name"))
    var consulDatacenters: [String] = []

    @Option(help: ArgumentHelp("Only services of this name, or web-*; may be repeated (all).", valueName: "pattern"))
    var consulServices: [String] = []

    @Option(help: ArgumentHelp("Only instances for which this filter holds.", valueName: "expression"))
    var consulFilter: String?

    @Option(help: ArgumentHelp("Whether services need no tag signalbox.enable=true (true).", valueName: "bool"))
    var consulExposedByDefault: Bool?

    @Option(help: ArgumentHelp("Routed to, at worst: passing, warning or any (warning).", valueName: "state"))
    var consulHealth: String?

    @Option(help: ArgumentHelp("Whether an instance without a check gets nothing (false).", valueName: "bool"))
    var consulRequireCheck: Bool?

    @Option(help: ArgumentHelp("The tagged address to use, such as lan or wan.", valueName: "name"))
    var consulTaggedAddress: String?

    @Option(help: ArgumentHelp("Whether config entries count (true).", valueName: "bool"))
    var consulConfigEntries: Bool?

    @Option(help: ArgumentHelp("Documents in the KV store below this key.", valueName: "prefix"))
    var consulKvPrefix: String?

    var flags: [String: ConfigValue] {
        var flags: [String: ConfigValue] = [:]
        if self.enabled { flags["consul.enabled"] = true }
        flags.set("consul.address", self.consulAddress)
        flags.set("consul.token.file", self.consulTokenFile)
        flags.set("consul.auth.method", self.consulAuthMethod)
        flags.set("consul.auth.token.file", self.consulAuthTokenFile)
        flags.set("consul.namespace", self.consulNamespace)
        flags.set("consul.partition", self.consulPartition)
        flags.set("consul.datacenters", self.consulDatacenters)
        flags.set("consul.services", self.consulServices)
        flags.set("consul.filter", self.consulFilter)
        flags.set("consul.exposed.by.default", self.consulExposedByDefault)
        flags.set("consul.health", self.consulHealth)
        flags.set("consul.require.check", self.consulRequireCheck)
        flags.set("consul.tagged.address", self.consulTaggedAddress)
        flags.set("consul.config.entries", self.consulConfigEntries)
        flags.set("consul.kv.prefix", self.consulKvPrefix)
        return flags
    }
}

/// The flags of `SourceSettings.nomad`.
struct NomadOptions: ParsableArguments {
    @Flag(name: .customLong("nomad"), help: "Take services and allocations from Nomad. Its NOMAD_* variables count.")
    var enabled = false

    @Option(help: ArgumentHelp("Its HTTP API (http://127.0.0.1:4646): as NOMAD_ADDR.", valueName: "address"))
    var nomadAddress: String?

    @Option(help: ArgumentHelp("The file of its token, read again when it changes.", valueName: "path"))
    var nomadTokenFile: String?

    @Option(help: ArgumentHelp("Its region (the agent's own).", valueName: "name"))
    var nomadRegion: String?

    @Option(help: ArgumentHelp("Only these namespaces, separated by commas; at most 3 (*).", valueName: "name"))
    var nomadNamespace: String?

    @Option(help: ArgumentHelp("Whether an instance without a passed check gets nothing (false).", valueName: "bool"))
    var nomadRequireCheck: Bool?

    var flags: [String: ConfigValue] {
        var flags: [String: ConfigValue] = [:]
        if self.enabled { flags["nomad.enabled"] = true }
        flags.set("nomad.address", self.nomadAddress)
        flags.set("nomad.token.file", self.nomadTokenFile)
        flags.set("nomad.region", self.nomadRegion)
        flags.set("nomad.namespace", self.nomadNamespace)
        flags.set("nomad.require.check", self.nomadRequireCheck)
        return flags
    }
}

/// The flags of `SourceSettings.catalog`.
struct CatalogOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the last known good is kept (STATE_DIRECTORY, else nowhere).", valueName: "path"))
    var stateDirectory: String?

    @Option(
        parsing: .unconditional,
        help: "Hold removals of more than this percentage of a source's services or instances; 0: never (50)."
    )
    var catalogRemovalPercent: Int?

    @Option(parsing: .unconditional, help: "Up to so many services may go in any case (5).")
    var catalogRemovalServices: Int?

    @Option(parsing: .unconditional, help: "Up to so many instances may go in any case (20).")
    var catalogRemovalInstances: Int?

    @Option(parsing: .unconditional, help: "Removals within so many seconds count together (60).")
    var catalogRemovalWindowSeconds: Int?

    @Option(parsing: .unconditional, help: "They are held so many seconds (60).")
    var catalogRemovalGraceSeconds: Int?

    @Option(
        parsing: .unconditional,
        help: "The last instances of a service are held so many seconds; 0: not at all (60)."
    )
    var catalogVanishedGraceSeconds: Int?

    @Option(
        help: ArgumentHelp("Let a catalog name such addresses, as 127.0.0.0/8; may be repeated.", valueName: "range")
    )
    var catalogAllowAddresses: [String] = []

    @Option(help: ArgumentHelp("Never let one name these, as 10.0.0.1:9901; may be repeated.", valueName: "range"))
    var catalogDenyAddresses: [String] = []

    @Option(help: ArgumentHelp("What our tags begin with (signalbox.).", valueName: "text"))
    var tagsPrefix: String?

    @Option(
        help: ArgumentHelp("The gateway of tags that name none; may be repeated (the only one).", valueName: "name")
    )
    var tagsGateways: [String] = []

    @Option(help: ArgumentHelp("Tags that name no host are for <service>.<domain> (any host).", valueName: "domain"))
    var tagsDomain: String?

    @Option(help: ArgumentHelp("Whether tags need signalbox.enable=true to make routes (false).", valueName: "bool"))
    var tagsRequireEnable: Bool?

    @Option(help: ArgumentHelp("Who may claim which host, as *.example.com=web-*; may be repeated.", valueName: "rule"))
    var tagsHosts: [String] = []

    var flags: [String: ConfigValue] {
        var flags: [String: ConfigValue] = [:]
        flags.set("state.directory", self.stateDirectory)
        flags.set("catalog.removal.percent", self.catalogRemovalPercent)
        flags.set("catalog.removal.services", self.catalogRemovalServices)
        flags.set("catalog.removal.instances", self.catalogRemovalInstances)
        flags.set("catalog.removal.window.seconds", self.catalogRemovalWindowSeconds)
        flags.set("catalog.removal.grace.seconds", self.catalogRemovalGraceSeconds)
        flags.set("catalog.vanished.grace.seconds", self.catalogVanishedGraceSeconds)
        flags.set("catalog.allow.addresses", self.catalogAllowAddresses)
        flags.set("catalog.deny.addresses", self.catalogDenyAddresses)
        flags.set("tags.prefix", self.tagsPrefix)
        flags.set("tags.gateways", self.tagsGateways)
        flags.set("tags.domain", self.tagsDomain)
        flags.set("tags.require.enable", self.tagsRequireEnable)
        flags.set("tags.hosts", self.tagsHosts)
        return flags
    }
}

extension [String: ConfigValue] {
    mutating func set(_ key: String, _ value: String?) {
        if let value { self[key] = ConfigValue(.string(value), isSecret: false) }
    }

    /// Each may be several with commas between them, as in a variable.
    mutating func set(_ key: String, _ values: [String]) {
        guard !values.isEmpty else { return }
        let parts = values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let trimmed = parts.map { part in
            let start = part.drop { $0 == " " }
            return String(start.reversed().drop { $0 == " " }.reversed())
        }
        self[key] = ConfigValue(.stringArray(trimmed), isSecret: false)
    }

    mutating func set(_ key: String, _ value: Bool?) {
        if let value { self[key] = ConfigValue(.bool(value), isSecret: false) }
    }

    mutating func set(_ key: String, _ value: Int?) {
        if let value { self[key] = ConfigValue(.int(value), isSecret: false) }
    }
}
