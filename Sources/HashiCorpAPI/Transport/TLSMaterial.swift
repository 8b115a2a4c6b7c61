// SPDX-License-Identifier: Apache-2.0

import NIOSSL

/// What the files of certificates and of a key hold.
struct TLSMaterial: Equatable, Sendable {
    private struct File: Equatable, Sendable {
        var path: String
        var bytes: [UInt8]
    }

    private var authorities: [File]?
    private var certificate: File?
    private var key: File?

    /// The files that matter, and the directory of which they are all.
    static func paths(_ options: TLSOptions) throws(APIError) -> [String] {
        let files = [options.caFile, options.certificateFile, options.keyFile].compactMap(\.self)
        return options.caFile == nil ? files + (try self.authorities(in: options.caDirectory)) : files
    }

    private static func authorities(in directory: String?) throws(APIError) -> [String] {
        guard let directory else { return [] }
        do {
            return try SmallFile.paths(in: directory)
        } catch {
            throw APIError(.tls, "the CA directory \(directory) cannot be read: \(error)")
        }
    }

    init(_ options: TLSOptions) throws(APIError) {
        if let file = options.caFile {
            self.authorities = [try Self.read(file, as: "CA file")]
        } else if let directory = options.caDirectory {
            self.authorities = try Self.authorities(in: directory).map { path throws(APIError) in
                try Self.read(path, as: "CA file")
            }
        }
        switch (options.certificateFile, options.keyFile) {
        case (nil, nil): break
        case (let certificate?, let key?):
            self.certificate = try Self.read(certificate, as: "client certificate")
            self.key = try Self.read(key, as: "client key")
        case (_?, nil): throw APIError(.tls, "there is a client certificate without a key; name both or neither")
        case (nil, _?): throw APIError(.tls, "there is a client key without a certificate; name both or neither")
        }
    }

    func configuration(_ options: TLSOptions) throws(APIError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if !options.verify { configuration.certificateVerification = .none }
        if let authorities = self.authorities {
            var certificates: [NIOSSLCertificate] = []
            for file in authorities { certificates += try Self.certificates(file) }
            let place = options.caFile ?? options.caDirectory ?? ""
            guard !certificates.isEmpty else { throw APIError(.tls, "there is no certificate in \(place)") }
            configuration.trustRoots = .certificates(certificates)
        }
        if let certificate = self.certificate, let key = self.key {
            configuration.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key.bytes, format: .pem))
            } catch {
                throw APIError(.tls, "the client key \(key.path) is no PEM private key without a password")
            }
            try Self.check(configuration, certificate, key)
        }
        return configuration
    }

    /// Also while one of them has been replaced and the other is about to be.
    private static func check(
        _ configuration: TLSConfiguration,
        _ certificate: File,
        _ key: File
    ) throws(APIError) {
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw APIError(
                .tls,
                "the client certificate \(certificate.path) and the client key \(key.path) do not belong together"
            )
        }
    }

    private static func certificates(_ file: File) throws(APIError) -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMBytes(file.bytes)
        } catch {
            throw APIError(.tls, "\(file.path) holds something else than certificates in PEM")
        }
    }

    private static func read(_ path: String, as what: String) throws(APIError) -> File {
        do {
            return File(path: path, bytes: try SmallFile.read(path))
        } catch {
            throw APIError(.tls, "the \(what) \(path) cannot be read: \(error)")
        }
    }
}
