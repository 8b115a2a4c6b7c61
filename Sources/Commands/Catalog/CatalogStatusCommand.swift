// SPDX-License-Identifier: Apache-2.0

import Admin
import ArgumentParser
import FoundationEssentials

struct CatalogStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Print whether the server is ready, how each source is, and what is held of it.",
        discussion: "Exit codes: 0 done; 1 an answer that cannot be read; 64 usage; 69 the server cannot be reached."
    )

    enum Output: String, CaseIterable, ExpressibleByArgument {
        case text, json
    }

    @OptionGroup var admin: AdminOptions

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Output.text

    func run() async throws {
        let answer = try await self.admin.request("GET", "/state")
        let report: Report
        do {
            report = Report(try JSONDecoder().decode(State.self, from: Data(answer.body.utf8)))
        } catch {
            StandardOutput.note("the server's answer cannot be read: is it the same version?")
            throw ExitCode.failure
        }
        switch self.output {
        case .json: try StandardOutput.write(json: report)
        case .text: StandardOutput.write(report.text)
        }
    }

    /// What is read of `GET /state`.
    private struct State: Decodable {
        struct Finding: Decodable {
            var severity: String
        }

        var apiVersion: String
        var ready: Bool
        var sources: [SourceState]
        var held: [HeldState]
        var diagnostics: [Finding]
    }

    private struct Report: Encodable {
        var apiVersion: String
        var ready: Bool
        var sources: [SourceState]
        var held: [HeldState]
        var diagnosticCounts: [String: Int]

        init(_ state: State) {
            self.apiVersion = state.apiVersion
            self.ready = state.ready
            self.sources = state.sources
            self.held = state.held
            self.diagnosticCounts = ["error": 0, "warning": 0, "note": 0]
            for finding in state.diagnostics { self.diagnosticCounts[finding.severity, default: 0] += 1 }
        }

        var text: String {
            var lines = [self.ready ? "ready" : "not ready: GET /ready says what is missing"]
            lines += self.sources.map { source in
                let age = source.storedAgeSeconds.map { ", stored \($0) s ago stands in" } ?? ""
                let size = "\(source.services) services, \(source.instances) instances"
                let idle = source.instances - source.routableInstances
                let lack = idle > 0 ? " of which \(idle) may get no requests" : ""
                return "\(source.name): \(source.state), \(size)\(lack)\(age)\(source.problem.map { " (\($0))" } ?? "")"
            }
            lines += self.held.map { held in
                let names = held.services.prefix(5).joined(separator: ", ")
                let more = held.serviceCount > 5 ? " and \(held.serviceCount - 5) more" : ""
                let what = held.instances > 0 ? "\(held.instances) instances of \(names)" : names
                let rest =
                    held.remainingSeconds.map { "released in \($0) s" }
                    ?? (held.reason == "documents" ? "until accepted" : "not released while the source is down")
                return
                    "held of \(held.source) (\(held.reason)): \(what)\(more); \(rest)"
            }
            if self.held.isEmpty { lines.append("nothing is held") }
            let counts = [("error", "errors"), ("warning", "warnings")].map {
                "\(self.diagnosticCounts[$0.0] ?? 0) \($0.1)"
            }
            lines.append(counts.joined(separator: ", "))
            return lines.map { $0 + "\n" }.joined()
        }
    }
}
