// SPDX-License-Identifier: Apache-2.0

import Foundation
import HashiCorpAPI
import NIOCore

/// `Tests/System/rig/nomad_server.py` as a process of its own, steered over HTTP.
final class NomadStandIn {
    private let process = Process()
    private let port: Int
    private let control: APIClient
    private static let address = "127.0.0.82"

    /// - Parameter flags: see `python3 -m rig.nomad_server --help`.
    init(flags: [String] = []) throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        self.process.executableURL = URL(filePath: "/usr/bin/env")
        self.process.arguments =
            ["python3", "-m", "rig.nomad_server", "--address", Self.address, "--port", "0", "--control", "0"] + flags
        self.process.currentDirectoryURL = tests.appending(path: "System")
        self.process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        let output = Pipe()
        self.process.standardOutput = output
        try self.process.run()
        // It says its ports on a line when it listens, in as many pieces as it likes.
        var said = Data()
        while !said.contains(UInt8(ascii: "\n")) {
            let piece = output.fileHandleForReading.availableData
            guard !piece.isEmpty else { break }
            said += piece
        }
        let ports = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard ports.count == 2 else {
            self.process.terminate()
            throw APIError(.unreachable, "the stand-in does not start")
        }
        self.port = ports[0]
        self.control = APIClient(APIConfiguration(product: .nomad, address: .http(host: Self.address, port: ports[1])))
    }

    deinit {
        self.process.terminate()
        self.process.waitUntilExit()
    }

    var agent: APIConfiguration {
        APIConfiguration(product: .nomad, address: .http(host: Self.address, port: self.port))
    }

    /// Such as `order("cluster/stop", #"{"id": "..."}"#)`.
    func order(_ path: String, _ arguments: String = "{}") async throws {
        _ = try await self.send(path, arguments)
    }

    func order<Answer: Decodable>(_ path: String, _ arguments: String = "{}", _ type: Answer.Type) async throws
        -> Answer
    {
        try await self.send(path, arguments).value(of: type)
    }

    func run(_ job: String, at ports: [Int], canaries: Int = 0) async throws -> [String] {
        let places = ports.map { "[\"10.0.0.1\", \($0)]" }.joined(separator: ",")
        let arguments =
            "{\"job\": \"\(job)\", \"places\": [\(places)], \"services\": [\"\(job)\"], \"canaries\": \(canaries)}"
        return try await self.order("cluster/run", arguments, [String].self)
    }

    private func send(_ path: String, _ arguments: String) async throws -> APIResponse {
        let response = try await self.control.send(APIRequest(.post, "/\(path)", body: ByteBuffer(string: arguments)))
        guard response.status == 200 else {
            throw APIError(.status, "\(path): \(response.explanation)", status: response.status)
        }
        return response
    }
}
