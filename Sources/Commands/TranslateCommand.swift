// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlPlane
import EnvoyTranslation
import FoundationEssentials
import Routing
import XDSServer
import Yams

struct TranslateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translate",
        abstract: "Print the Envoy resources that documents become, without a server.",
        discussion: """
            Diagnostics go to standard error. Without a node, the resources are those of a proxy that every gateway \
            selects.
            """
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case yaml, json
    }

    @OptionGroup var documents: DocumentArguments

    @Option(name: .shortAndLong, help: "yaml or json.")
    var output = Output.yaml

    @Option(help: "Only for the proxy with this node.id.")
    var nodeID: String?

    @Option(help: "That proxy's node.cluster.")
    var nodeCluster = ""

    @Option(help: "That proxy's node.metadata, as key=value; may be repeated.")
    var metadata: [KeyValue] = []

    func run() throws {
        let pipeline = try self.documents.load()
        let gateways = pipeline.topology.gateways.values.filter { gateway in
            self.nodeID.map {
                gateway.proxies.selects(
                    id: $0,
                    cluster: self.nodeCluster,
                    metadata: KeyValue.dictionary(self.metadata)
                )
            } ?? true
        }
        let translation = translate(Array(gateways))
        for diagnostic in pipeline.diagnostics + translation.diagnostics { StandardOutput.note("\(diagnostic)") }
        let json = try Self.json(of: translation.resources)
        switch self.output {
        case .json: StandardOutput.write(json + "\n")
        case .yaml: StandardOutput.write(try JSONText.yaml(json))
        }
    }

    private static let keys: [(TranslatedResource.Kind, String)] = [
        (.cluster, "clusters"), (.endpoints, "endpoints"), (.listener, "listeners"), (.routeConfiguration, "routes"),
        (.virtualHost, "virtualHosts"), (.scopedRouteConfiguration, "scopedRoutes"), (.secret, "secrets"),
        (.runtime, "runtimes"), (.extensionConfig, "extensionConfigs"),
    ]

    /// The resources in protobuf's own JSON form, which an `Encodable` has no way to contain.
    private static func json(of resources: [TranslatedResource]) throws -> String {
        EnvoyTypes.register()
        let lists = try self.keys.map { kind, key in
            let list = try resources.filter { $0.kind == kind }.map { try $0.json }
            return "\"\(key)\":[\(list.joined(separator: ","))]"
        }
        return "{\"apiVersion\":\"signalbox/v1\",\"resources\":{\(lists.joined(separator: ","))}}"
    }
}
