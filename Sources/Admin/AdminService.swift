// SPDX-License-Identifier: Apache-2.0

import Catalog
package import ControlPlane
import FoundationEssentials
import HTTPTypes
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
package import XDSServer

/// The admin listener: health, metrics and state over HTTP, for this machine only.
package struct AdminService: ServiceLifecycle.Service {
    private let address: NetworkAddress
    private let controlPlane: ControlPlaneService
    private let cache: SnapshotCache
    private let registry: StreamRegistry
    private let readiness: Readiness
    private let metrics: @Sendable () -> String
    private let logger: Logger

    /// - Parameter metrics: the exposition in Prometheus' text format.
    package init(
        address: NetworkAddress,
        controlPlane: ControlPlaneService,
        cache: SnapshotCache,
        registry: StreamRegistry,
        readiness: Readiness,
        metrics: @escaping @Sendable () -> String,
        logger: Logger
    ) {
        self.address = address
        self.controlPlane = controlPlane
        self.cache = cache
        self.registry = registry
        self.readiness = readiness
        self.metrics = metrics
        self.logger = logger
    }

    package func run() async throws {
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
            configuration: ApplicationConfiguration(address: bind, serverName: "signalbox"),
            onServerRunning: { _ in
                self.logger.info("serving admin", metadata: ["address": "\(self.address)"])
            },
            logger: quiet
        )
        try await application.run()
    }

    private func makeRouter() -> Router<BasicRequestContext> {
        // Health checkers ask with HEAD.
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("/live") { _, _ in Self.text("live\n") }
        router.get("/ready") { _, _ in
            let blockers = self.blockers
            return Self.text(
                blockers.isEmpty ? "ready\n" : "not ready: \(blockers.joined(separator: ", "))\n",
                status: blockers.isEmpty ? .ok : .serviceUnavailable
            )
        }
        router.get("/metrics") { _, _ in
            Self.text(self.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/state") { _, _ in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let json = try encoder.encode(self.state())
            return Self.text(String(decoding: json, as: UTF8.self) + "\n", type: "application/json")
        }
        router.post("/reload") { request, _ in
            if let refusal = Self.refusal(of: request) { return refusal }
            self.controlPlane.reload()
            return Self.text("reading the documents\n", status: .accepted)
        }
        router.post("/catalog/accept") { request, _ in
            if let refusal = Self.refusal(of: request, allowing: ["source"]) { return refusal }
            let text = request.uri.queryParameters["source"].map(String.init)
            let source = text.flatMap(SourceName.init)
            if let text, source == nil {
                return Self.text(
                    "'\(text.prefix(64))' is no source: source is consul, nomad or file (documents)\n",
                    status: .badRequest
                )
            }
            return self.accept(source)
        }
        router.post("/accept-removals") { request, _ in
            if let refusal = Self.refusal(of: request) { return refusal }
            return self.accept(.file)
        }
        for path in ["/live", "/ready", "/metrics", "/state"] { Self.refuse(path, but: [.get, .head], on: router) }
        for path in ["/reload", "/catalog/accept", "/accept-removals"] { Self.refuse(path, but: [.post], on: router) }
        return router
    }

    /// The router would say of a path that is there, but not for this method, that there is none.
    /// See https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
    private static func refuse(
        _ path: String,
        but allowed: [HTTPRequest.Method],
        on router: Router<BasicRequestContext>
    ) {
        let names = allowed.map(\.rawValue)
        for method in Self.methods where !allowed.contains(method) {
            router.on(RouterPath(path), method: method) { _, _ in
                var response = Self.text(
                    "\(path) takes \(names.joined(separator: " and ")) only\n",
                    status: .methodNotAllowed
                )
                response.headers[.allow] = names.joined(separator: ", ")
                return response
            }
        }
    }

    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .delete, .patch, .options, .trace, .connect,
    ]

    private func accept(_ source: SourceName?) -> Response {
        if let source, !self.controlPlane.follows(source) {
            let setting = source == .file ? "documents" : "\(source.rawValue).enabled"
            return Self.text(
                "\(source.rawValue) is not followed, so nothing is held of it (\(setting) is not set)\n",
                status: .badRequest
            )
        }
        return Self.text("\(self.controlPlane.accept(source))\n")
    }

    /// What is misspelt must not be left out: without its parameter, a request may do more than was meant.
    private static func refusal(of request: Request, allowing names: Set<String> = []) -> Response? {
        let parameters = request.uri.queryParameters
        let unknown = parameters.map { String($0.key) }.filter { !names.contains($0) }.min()
        let repeated = names.filter { name in parameters.count { $0.key == name[...] } > 1 }.min()
        guard let bad = unknown ?? repeated else { return nil }
        let fault = unknown == nil ? "is given twice" : "is no parameter of \(request.uri.path)"
        return Self.text("'\(bad.prefix(64))' \(fault)\n", status: .badRequest)
    }

    private static func text(
        _ text: String,
        status: HTTPResponse.Status = .ok,
        type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// Why the server is not ready. A source that fails later is none: the snapshot in hand is still served.
    private var blockers: [String] {
        var blockers: [String] = []
        if !self.controlPlane.hasConfiguration {
            let status = self.controlPlane.status
            if !status.hasReadFiles {
                let problem = status.sources.first { $0.source == .file }?.problem
                blockers.append("the documents have not been read" + (problem.map { ": \($0)" } ?? ""))
            }
            let waiting = status.waiting.map(\.rawValue).joined(separator: " and ")
            if !status.awaited.isEmpty {
                blockers += status.awaitedWords
            } else if !waiting.isEmpty {
                blockers.append(
                    "\(waiting) has not been heard yet, which is waited for after a start, for 10 s at most"
                )
            } else {
                blockers.append("no configuration has been published: no gateway is known")
            }
        }
        if !self.readiness.isReady { blockers.append("not every xDS address is open") }
        return blockers
    }

    private func state() -> StateDocument {
        let status = self.controlPlane.status
        let blockers = self.blockers
        return StateDocument(
            ready: blockers.isEmpty,
            blockers: blockers,
            generation: self.cache.generation,
            documents: Dictionary(uniqueKeysWithValues: status.documentCounts.map { ($0.kind, $0.count) }),
            sources: status.sources.map { .init($0, in: status) },
            held: status.held.map { .init($0, now: status.now) },
            diagnostics: status.diagnostics.map { .init($0) },
            streams: self.registry.streams.map { .init($0) },
            rejections: self.registry.rejections.map { .init($0) }
        )
    }
}
