// SPDX-License-Identifier: Apache-2.0

/// What Nomad's own variables say, with the meaning that Nomad's own programs give them.
/// See https://developer.hashicorp.com/nomad/docs/commands#environment-variables
package struct NomadEnvironment: Hashable, Sendable {
    /// `NOMAD_ADDR`, or else `NOMAD_UNIX_ADDR` as in a task; `NOMAD_HTTP_AUTH`, `NOMAD_TOKEN`, `NOMAD_CACERT`,
    /// `NOMAD_CAPATH`, `NOMAD_CLIENT_CERT`, `NOMAD_CLIENT_KEY`, `NOMAD_TLS_SERVER_NAME`, `NOMAD_SKIP_VERIFY`.
    package var api: APIConfiguration
    /// `NOMAD_REGION`; nil: the one of the agent.
    package var region: String?
    /// `NOMAD_NAMESPACE`; nil: "default".
    package var namespace: String?

    package init(_ environment: [String: String]) throws(EnvironmentError) {
        let variables = EnvironmentVariables(environment)
        if let text = variables["NOMAD_ADDR"], text.firstRange(of: "://") == nil {
            let shown = text.contains("@") ? "the address" : "\"\(APIError.printable(text))\""
            throw EnvironmentError("NOMAD_ADDR", "\(shown) has no scheme; write http://host:4646")
        }
        if let text = variables["NOMAD_UNIX_ADDR"], !text.hasPrefix("unix://") {
            throw EnvironmentError("NOMAD_UNIX_ADDR", "is no socket; write unix:///path/to/api.sock")
        }
        let name = variables["NOMAD_ADDR"] == nil ? "NOMAD_UNIX_ADDR" : "NOMAD_ADDR"
        let given = try variables.address(name)
        var tls = TLSOptions(
            caFile: variables["NOMAD_CACERT"],
            caDirectory: variables["NOMAD_CAPATH"],
            serverName: variables["NOMAD_TLS_SERVER_NAME"]
        )
        (tls.certificateFile, tls.keyFile) = try variables.clientCertificate("NOMAD_CLIENT_CERT", "NOMAD_CLIENT_KEY")
        let skipsVerification = try variables.bool("NOMAD_SKIP_VERIFY") ?? false
        tls.verify = !skipsVerification
        self.api = APIConfiguration(
            product: .nomad,
            address: given?.0 ?? .http(host: "127.0.0.1", port: 4646),
            pathPrefix: given?.prefix ?? "",
            tls: tls,
            basicAuth: variables["NOMAD_HTTP_AUTH"].map { BasicAuth($0) },
            token: try variables.token("NOMAD_TOKEN") ?? TokenSource.none,
            tokenOrigin: variables["NOMAD_TOKEN"].map { _ in "NOMAD_TOKEN" }
        )
        self.region = variables["NOMAD_REGION"]
        self.namespace = variables["NOMAD_NAMESPACE"]
    }
}
