// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import XDSServer

/// Changes the world over HTTP, for whoever measures:
///
/// - `POST /touch?service=K` moves an endpoint of the K-th service (from 0),
/// - `PUT /state` replaces everything by the document in its body,
/// - `GET /healthz` says that it is there.
///
/// An answer 200 comes when the change is published. The first two and their answers are also those of the servers in
/// `Benchmarks/peers`.
struct BenchAdmin: Service {
    /// 10,000 services with 100 endpoints each, and some room.
    private static let documentBytes = 256 << 20

    let address: NetworkAddress
    let keeper: WorldKeeper
    let logger: Logger
    let onListening: @Sendable () -> Void

    func run() async throws {
        let bind: BindAddress
        switch self.address {
        case .ipv4(let host, let port), .ipv6(let host, let port), .name(let host, let port):
            bind = .hostname(host, port: port)
        case .unix(let path): bind = .unixDomainSocket(path: path)
        }
        var quiet = self.logger
        quiet.logLevel = .warning
        let application = Application(
            router: self.makeRouter(),
            configuration: ApplicationConfiguration(address: bind, serverName: "signalbox-bench"),
            onServerRunning: { _ in self.onListening() },
            logger: quiet
        )
        try await application.run()
    }

    private func makeRouter() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/healthz") { _, _ in "ok\n" }
        router.post("/touch") { request, _ in
            guard let index = request.uri.queryParameters.get("service", as: Int.self) else {
                return Self.text("say which service: /touch?service=0", status: .badRequest)
            }
            return Self.answer { () throws(BadDocument) in try self.keeper.touch(index) }
        }
        router.put("/state") { request, _ in
            let body = try await request.body.collect(upTo: Self.documentBytes)
            return Self.answer { () throws(BadDocument) in
                self.keeper.replace(with: try WorldDocument(json: Data(body.readableBytesView)))
            }
        }
        return router
    }

    private static func answer(_ change: () throws(BadDocument) -> Void) -> Response {
        do {
            try change()
            return Self.text("ok", status: .ok)
        } catch {
            return Self.text(error.description, status: .badRequest)
        }
    }

    private static func text(_ text: String, status: HTTPResponse.Status) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n"))
        )
    }
}
