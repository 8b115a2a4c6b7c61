// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOSSL

/// Certificates of a test's own, made with openssl: `ca` with `server` for 127.0.0.1 and server.dc1.consul, `named`
/// for the latter only, and `client`; and `other-ca` with `other-client`.
struct Certificates {
    struct Failure: Error {
        var arguments: [String]
    }

    let directory: TemporaryDirectory

    init() throws {
        self.directory = try TemporaryDirectory()
        try self.makeAuthority("ca")
        try self.makeAuthority("other-ca")
        try self.make("server", by: "ca", names: "DNS:server.dc1.consul,IP:127.0.0.1")
        try self.make("named", by: "ca", names: "DNS:server.dc1.consul")
        try self.make("client", by: "ca", names: "DNS:client.dc1.consul")
        try self.make("other-client", by: "other-ca", names: "DNS:client.dc1.consul")
    }

    func certificate(_ name: String) -> String { self.directory("\(name).pem") }
    func key(_ name: String) -> String { self.directory("\(name)-key.pem") }

    /// - Parameters:
    ///   - wantsClient: whether a client must show a certificate of `ca`.
    ///   - protocols: that are spoken, by their names in ALPN.
    ///   - maximumVersion: with TLS 1.2, the handshake ends with a word of the server, and what it says then comes along.
    func serverContext(
        _ name: String = "server",
        wantsClient: Bool = false,
        protocols: [String] = [],
        maximumVersion: TLSVersion? = nil
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(self.certificate(name)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: self.key(name), format: .pem))
        )
        configuration.applicationProtocols = protocols
        configuration.maximumTLSVersion = maximumVersion
        if wantsClient {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(self.certificate("ca")))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private func makeAuthority(_ name: String) throws {
        try self.openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=\(name)",
            "-keyout",
            self.key(name),
            "-out",
            self.certificate(name)
        )
    }

    private func make(_ name: String, by authority: String, names: String) throws {
        try self.openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=\(name)",
            "-addext",
            "subjectAltName=\(names)",
            "-addext",
            "basicConstraints=critical,CA:false",
            "-CA",
            self.certificate(authority),
            "-CAkey",
            self.key(authority),
            "-keyout",
            self.key(name),
            "-out",
            self.certificate(name)
        )
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    }
}
