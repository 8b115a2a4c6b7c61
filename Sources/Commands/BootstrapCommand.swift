// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import XDSServer

struct BootstrapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Print a bootstrap with which an Envoy gets everything from Signalbox.",
        discussion: "By default one aggregated delta stream, which costs the least on both sides."
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case yaml, json
    }

    @Option(help: "node.id: unique for each proxy.")
    var nodeID: String

    @Option(help: "node.cluster: what gateways select proxies by. Envoy demands one.")
    var nodeCluster = "signalbox"

    @Option(help: "node.locality.region.")
    var region: String?

    @Option(help: "node.locality.zone.")
    var zone: String?

    @Option(help: "node.locality.sub_zone.")
    var subZone: String?

    @Option(help: "node.metadata, as key=value; may be repeated.")
    var metadata: [KeyValue] = []

    @Option(help: "Where Envoy's own admin interface listens: host:port.")
    var adminAddress = "127.0.0.1:9901"

    @Option(help: "Where Signalbox serves xDS: host:port or unix:PATH. May be repeated.")
    var xdsAddress: [String] = []

    @Flag(help: "State of the world instead of delta.")
    var sotw = false

    @Flag(help: "A stream for each type instead of one for all.")
    var perType = false

    @Option(name: .shortAndLong, help: "yaml or json.")
    var output = Output.yaml

    func run() throws {
        let json = try self.bootstrap().text
        switch self.output {
        case .json: StandardOutput.write(json + "\n")
        case .yaml: StandardOutput.write(try JSONText.yaml(json))
        }
    }

    private func bootstrap() throws -> EnvoyBootstrap {
        let addresses = self.xdsAddress.isEmpty ? [Settings.defaultXDSAddress] : self.xdsAddress
        return EnvoyBootstrap(
            nodeID: self.nodeID,
            nodeCluster: self.nodeCluster,
            region: self.region,
            zone: self.zone,
            subZone: self.subZone,
            metadata: KeyValue.dictionary(self.metadata),
            adminAddress: try Self.address(self.adminAddress, of: "--admin-address"),
            xdsAddresses: try addresses.map { try Self.address($0, of: "--xds-address") },
            isDelta: !self.sotw,
            isPerType: self.perType
        )
    }

    private static func address(_ text: String, of option: String) throws -> NetworkAddress {
        guard let address = NetworkAddress(text) else {
            throw ValidationError("\(option) '\(text)' is neither host:port nor unix:PATH")
        }
        return address
    }
}
