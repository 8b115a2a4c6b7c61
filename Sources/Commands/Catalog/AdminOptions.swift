// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import XDSServer

/// Where the admin listener of a running server is.
struct AdminOptions: ParsableArguments {
    private static let limit = 256 << 20

    @Option(
        help: ArgumentHelp(
            "The admin listener of the server: host:port or unix:PATH. Also SIGNALBOX_ADMIN_LISTEN.",
            valueName: "address"
        )
    )
    var admin: String?

    struct Answer {
        var status: Int
        var body: String
    }

    func request(_ method: String, _ path: String) async throws -> Answer {
        let text =
            self.admin ?? Environment.variable("SIGNALBOX_ADMIN_LISTEN") ?? Settings.defaultAdminAddress
        guard let address = NetworkAddress(text) else {
            throw ValidationError("'\(text)' is neither host:port nor unix:PATH")
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
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            let body = try await response.body.collect(upTo: Self.limit)
            return Answer(status: Int(response.status.code), body: String(buffer: body))
        } catch {
            StandardOutput.note("no server answers at \(text): \(error)")
            throw ExitCode.serverUnreachable
        }
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
