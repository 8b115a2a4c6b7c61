// SPDX-License-Identifier: Apache-2.0

import NIOSSL
import Synchronization

/// Knows the certificates of the moment: short-lived ones are replaced on disk while we run.
final class TLSStore: Sendable {
    /// How long files are used without another look. They matter to new connections only.
    private static let interval = Duration.seconds(4)
    /// The same of files that cannot be used: they may have been looked at while they were written.
    private static let intervalOfBroken = Duration.seconds(1)

    /// The files' contents. Configurations are only made anew if these differ, as each has its own pool of connections.
    private struct Material: Equatable {
        var authorities: [[UInt8]]?
        var certificate: [UInt8]?
        var key: [UInt8]?
    }

    private struct State {
        var material: Material?
        var configuration: TLSConfiguration?
        var lastLook: ContinuousClock.Instant?
        /// What the last look found wrong with the files.
        var problem: APIError?
    }

    private let options: TLSOptions
    private let state = Mutex(State())

    init(_ options: TLSOptions) {
        self.options = options
    }

    /// Files that can no longer be read leave what was last read in use.
    func configuration() throws(APIError) -> TLSConfiguration {
        try self.state.withLock { self.look(&$0) }.get()
    }

    /// What is wrong with the files while what was last read from them stays in use; nil: nothing, or nothing was read yet.
    func problem() -> String? {
        self.state.withLock { state in
            guard state.configuration != nil else { return nil }
            _ = self.look(&state)
            return state.problem?.message
        }
    }

    /// A handshake failed: the next request looks at the files, however recent the last look.
    func refused() {
        self.state.withLock { $0.lastLook = nil }
    }

    /// At the files, unless that was done a moment ago.
    private func look(_ state: inout State) -> Result<TLSConfiguration, APIError> {
        let now = ContinuousClock.now
        let interval = state.problem == nil ? Self.interval : Self.intervalOfBroken
        if let configuration = state.configuration, let last = state.lastLook, now - last < interval {
            return .success(configuration)
        }
        state.lastLook = now
        do throws(APIError) {
            let material = try Self.material(self.options)
            state.problem = nil
            if let configuration = state.configuration, material == state.material { return .success(configuration) }
            let configuration = try Self.configuration(self.options, material)
            state.material = material
            state.configuration = configuration
            return .success(configuration)
        } catch {
            state.problem = error
            return state.configuration.map { .success($0) } ?? .failure(error)
        }
    }

    private static func material(_ options: TLSOptions) throws(APIError) -> Material {
        var material = Material()
        if let file = options.caFile {
            material.authorities = [try self.read(file, as: "CA file")]
        } else if let directory = options.caDirectory {
            do {
                material.authorities = []
                for path in try SmallFile.paths(in: directory) {
                    material.authorities?.append(try SmallFile.read(path))
                }
            } catch {
                throw APIError(.tls, "the CA directory \(directory) cannot be read: \(error)")
            }
        }
        switch (options.certificateFile, options.keyFile) {
        case (nil, nil): break
        case (let certificate?, let key?):
            material.certificate = try self.read(certificate, as: "client certificate")
            material.key = try self.read(key, as: "client key")
        case (_?, nil): throw APIError(.tls, "there is a client certificate without a key; name both or neither")
        case (nil, _?): throw APIError(.tls, "there is a client key without a certificate; name both or neither")
        }
        return material
    }

    private static func configuration(
        _ options: TLSOptions,
        _ material: Material
    ) throws(APIError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if !options.verify { configuration.certificateVerification = .none }
        if let authorities = material.authorities {
            let place = options.caFile ?? options.caDirectory ?? ""
            var certificates: [NIOSSLCertificate] = []
            for pem in authorities {
                certificates += try self.certificates(pem, of: place)
            }
            guard !certificates.isEmpty else { throw APIError(.tls, "there is no certificate in \(place)") }
            configuration.trustRoots = .certificates(certificates)
        }
        if let certificate = material.certificate, let key = material.key {
            let place = options.certificateFile ?? ""
            configuration.certificateChain = try self.certificates(certificate, of: place).map { .certificate($0) }
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            } catch {
                throw APIError(.tls, "the client key \(options.keyFile ?? "") is no PEM private key without a password")
            }
        }
        return configuration
    }

    private static func certificates(_ pem: [UInt8], of path: String) throws(APIError) -> [NIOSSLCertificate] {
        do {
            return try NIOSSLCertificate.fromPEMBytes(pem)
        } catch {
            throw APIError(.tls, "\(path) holds something else than certificates in PEM")
        }
    }

    private static func read(_ path: String, as what: String) throws(APIError) -> [UInt8] {
        do {
            return try SmallFile.read(path)
        } catch {
            throw APIError(.tls, "the \(what) \(path) cannot be read: \(error)")
        }
    }
}
