// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import XDSServer

/// Where the admin listener of a running server is.
struct AdminOptions: ParsableArguments {
    private static let limit = 256 << 20
    private static let variable = "SIGNALBOX_ADMIN_LISTEN"

    @Option(
        help: ArgumentHelp(
            "The admin listener of the server: host:port, http://host:port or unix:PATH. Also SIGNALBOX_ADMIN_LISTEN.",
            valueName: "address"
        )
    )
    var admin: String?

    struct Answer {
        var status: Int
        var body: String
    }

    func request(_ method: String, _ path: String) async throws -> Answer {
        let variable = Environment.variable(Self.variable)
        let text = self.admin ?? variable ?? Settings.defaultAdminAddress
        guard let address = Self.address(text) else {
            let name = self.admin == nil && variable != nil ? Self.variable : "--admin"
            throw ValidationError("\(name): '\(text)' is neither host:port nor http://host:port nor unix:PATH")
        }
        let url: String
        switch address {
        case .ipv4(let host, let port), .name(let host, let port): url = "http://\(host):\(port)\(path)"
        case .ipv6(let host, let port): url = "http://[\(host)]:\(port)\(path)"
        case .unix(let socket): url = "http+unix://\(Self.escaped(socket))\(path)"
        }
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method)
        do {
            return try await HTTPClient.withHTTPClient(configuration: Self.configuration) { client in
                let response = try await client.execute(request, timeout: .seconds(10))
                let body = try await response.body.collect(upTo: Self.limit)
                return Answer(status: Int(response.status.code), body: String(buffer: body))
            }
        } catch {
            StandardOutput.note(
                "no server answers at \(address): \(Self.reason(error, address)); is `signalbox serve` running, and is this its "
                    + "admin.listen (--admin, \(Self.variable))?"
            )
            throw ExitCode.serverUnreachable
        }
    }

    /// Whoever types a command wants to know at once.
    private static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }

    /// A URL may be pasted, too.
    private static func address(_ text: String) -> NetworkAddress? {
        guard text.hasPrefix("http://") else { return NetworkAddress(text) }
        let rest = text.dropFirst("http://".count)
        return NetworkAddress(String(rest.hasSuffix("/") ? rest.dropLast() : rest))
    }

    private static func reason(_ error: any Error, _ address: NetworkAddress) -> String {
        if let error = error as? IOError {
            return switch error.errnoCode {
            case ECONNREFUSED: "nobody listens there"
            case ENOENT: "there is no such socket"
            case EACCES: "the socket may not be used"
            default: "no connection (errno \(error.errnoCode))"
            }
        }
        switch error as? HTTPClientError {
        case .connectTimeout?, .deadlineExceeded?, .readTimeout?: return "no answer in time"
        case .remoteConnectionClosed?: return "the connection was closed"
        default: break
        }
        if case .name = address { return "the name has no address, or nobody listens there" }
        return "it does not answer in HTTP"
    }

    /// As the host of a URL.
    private static func escaped(_ path: String) -> String {
        path.utf8.reduce(into: "") { text, byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.properties.isAlphabetic && scalar.isASCII || "0123456789-._~".unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}
