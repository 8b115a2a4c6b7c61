// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Configuration

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Watch documents and serve proxies over xDS.",
        discussion: """
            Every setting can be given as a flag, as an environment variable (SIGNALBOX_XDS_LISTEN for --xds-listen, and \
            so on; SIGNALBOX_CONSUL=true for --consul) or in the settings file (docs/settings.md); the first of these \
            that has it counts. SIGHUP reads the documents again, SIGTERM ends every stream and exits. Exit codes: 0 it \
            was told to stop; 1 it failed; 64 usage; 78 settings that cannot be used.
            """
    )

    @Option(help: ArgumentHelp("The directory (or file) of documents.", valueName: "path"))
    var documents: String?

    @Option(help: ArgumentHelp("Where to serve xDS: host:port or unix:PATH; may be repeated.", valueName: "address"))
    var xdsListen: [String] = []

    @Option(
        help: ArgumentHelp("Where to serve /live, /ready, /metrics and /state: loopback only.", valueName: "address")
    )
    var adminListen: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Option(help: "text or json.")
    var logFormat: String?

    @Option(
        parsing: .unconditional,
        help: "Hold a change back that removes more than this percentage of a kind of documents; 0: never."
    )
    var removalGuard: Int?

    @OptionGroup(title: "Consul")
    var consul: ConsulOptions

    @OptionGroup(title: "Nomad")
    var nomad: NomadOptions

    @OptionGroup(title: "Catalog")
    var catalog: CatalogOptions

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @Option(help: ArgumentHelp("A YAML file of settings.", valueName: "file"))
    var settings: String?

    @Flag(help: .hidden)
    var allowEnvoyResources = false

    func run() async throws {
        let settings: Settings
        do {
            settings = try await SettingsSources.read(
                flags: self.flags,
                environment: Environment.all,
                file: self.settings
            )
        } catch {
            StandardOutput.note("\(error)")
            throw ExitCode.badSettings
        }
        do {
            try await Server(settings).run()
        } catch let error as SettingsError {
            StandardOutput.note("\(error)")
            throw ExitCode.badSettings
        } catch {
            StandardOutput.note("\(error)")
            throw ExitCode.failure
        }
    }

    private var flags: [String: ConfigValue] {
        var flags = self.limits.flags
        for source in [self.consul.flags, self.nomad.flags, self.catalog.flags] {
            flags.merge(source) { _, last in last }
        }
        flags.set("documents", self.documents)
        flags.set("xds.listen", self.xdsListen)
        flags.set("admin.listen", self.adminListen)
        flags.set("log.level", self.logLevel)
        flags.set("log.format", self.logFormat)
        flags.set("removal.guard", self.removalGuard)
        if self.allowEnvoyResources { flags.set("allow.envoy.resources", true) }
        return flags
    }
}
