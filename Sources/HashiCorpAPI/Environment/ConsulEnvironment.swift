// SPDX-License-Identifier: Apache-2.0

/// What Consul's own variables say, with the meaning that Consul's own programs give them.
/// See https://developer.hashicorp.com/consul/commands#environment-variables
///
/// Those of the mesh (`CONSUL_GRPC_*`, `CONNECT_*`) are for Envoys that get everything from Consul: nothing of it is asked here.
package struct ConsulEnvironment: Hashable, Sendable {
    /// `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_SSL`, `CONSUL_HTTP_SSL_VERIFY`, `CONSUL_HTTP_AUTH`, `CONSUL_HTTP_TOKEN`,
    /// `CONSUL_HTTP_TOKEN_FILE`, `CONSUL_CACERT`, `CONSUL_CAPATH`, `CONSUL_CLIENT_CERT`, `CONSUL_CLIENT_KEY`,
    /// `CONSUL_TLS_SERVER_NAME`.
    package var api: APIConfiguration
    /// `CONSUL_HTTP_SSL`: what an address without a scheme means.
    package var isSecure: Bool
    /// `CONSUL_NAMESPACE`, of Enterprise.
    package var namespace: String?
    /// `CONSUL_PARTITION`, of Enterprise.
    package var partition: String?

    package init(_ environment: [String: String]) throws(EnvironmentError) {
        let variables = EnvironmentVariables(environment)
        let isSecure = try variables.bool("CONSUL_HTTP_SSL") ?? false
        let given = try variables.address("CONSUL_HTTP_ADDR", isSecure: isSecure)
        let local = ("127.0.0.1", 8500)
        let standard: APIAddress =
            isSecure ? .https(host: local.0, port: local.1) : .http(host: local.0, port: local.1)
        var tls = TLSOptions(
            caFile: variables["CONSUL_CACERT"],
            caDirectory: variables["CONSUL_CAPATH"],
            serverName: variables["CONSUL_TLS_SERVER_NAME"]
        )
        (tls.certificateFile, tls.keyFile) = try variables.clientCertificate("CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY")
        tls.verify = try variables.bool("CONSUL_HTTP_SSL_VERIFY") ?? true
        // A file wins over a value, as in `consul`.
        let token: TokenSource =
            if let path = variables["CONSUL_HTTP_TOKEN_FILE"] {
                .file(path: path)
            } else {
                try variables.token("CONSUL_HTTP_TOKEN") ?? TokenSource.none
            }
        self.api = APIConfiguration(
            product: .consul,
            address: given?.0 ?? standard,
            pathPrefix: given?.prefix ?? "",
            tls: tls,
            basicAuth: variables["CONSUL_HTTP_AUTH"].map { BasicAuth($0) },
            token: token,
            tokenOrigin: ["CONSUL_HTTP_TOKEN_FILE", "CONSUL_HTTP_TOKEN"].first { variables[$0] != nil }
        )
        self.isSecure = isSecure
        self.namespace = variables["CONSUL_NAMESPACE"]
        self.partition = variables["CONSUL_PARTITION"]
    }
}
