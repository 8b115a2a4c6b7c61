// SPDX-License-Identifier: Apache-2.0

import Admin
import ArgumentParser
import Catalog
import ControlPlane
import FoundationEssentials

struct CatalogStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Print whether the server is ready, how each source is, what is held of it, and what is wrong.",
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
        var apiVersion: String
        var ready: Bool
        var blockers: [String]
        var sources: [SourceState]
        var held: [HeldState]
        var diagnostics: [DiagnosticEntry]
    }

    private struct Report: Encodable {
        private static let limit = 20

        var apiVersion: String
        var ready: Bool
        var blockers: [String]
        var sources: [SourceState]
        var held: [HeldState]
        var diagnosticCounts: [String: Int]
        var errors: [DiagnosticEntry]

        init(_ state: State) {
            self.apiVersion = state.apiVersion
            self.ready = state.ready
            self.blockers = state.blockers
            self.sources = state.sources
            self.held = state.held
            self.diagnosticCounts = ["error": 0, "warning": 0, "note": 0]
            for finding in state.diagnostics { self.diagnosticCounts[finding.severity, default: 0] += 1 }
            self.errors = state.diagnostics.filter { $0.severity == "error" }
        }

        var text: String {
            var lines = [self.ready ? "ready" : "not ready: \(self.blockers.joined(separator: ", "))"]
            lines += self.sources.map { source in
                let ages = (source.storedPartAgeSeconds ?? [:]).words
                let age = ages.isEmpty ? "" : ", \(ages) stand in"
                let size = "\(source.services.counted("service")), \(source.instances.counted("instance"))"
                let idle = source.instances - source.routableInstances
                let lack = idle > 0 ? " of which \(idle) may get no requests" : ""
                let version = source.version.map { ", version \($0)" } ?? ""
                return
                    "\(source.name): \(source.state)\(version), \(size)\(lack)\(age)\(source.problem.map { " (\($0))" } ?? "")"
            }
            lines += self.held.map { held in
                let names = held.services.prefix(5).joined(separator: ", ")
                let more = held.serviceCount > 5 ? " and \(held.serviceCount - 5) more" : ""
                let what = held.instances > 0 ? "\(held.instances.counted("instance")) of \(names)" : names
                let isUntilAccepted = HeldRemoval.Reason(rawValue: held.reason)?.isUntilAccepted == true
                let rest =
                    held.remainingSeconds.map { "released in \($0) s" }
                    ?? (isUntilAccepted ? "until accepted" : "not released while the source is down")
                return
                    "held of \(held.source) (\(held.reason)) for \(held.heldSeconds) s: \(what)\(more); \(rest)"
            }
            if self.held.isEmpty { lines.append("nothing is held") }
            let counts = ["error", "warning"].map { (self.diagnosticCounts[$0] ?? 0).counted($0) }
            lines.append(counts.joined(separator: ", "))
            lines += self.errors.prefix(Self.limit).map(\.text)
            let more = self.errors.count - Self.limit
            if more > 0 { lines.append("and \(more.counted("more error")): GET /state has them all") }
            // Whoever may register a service names much of that.
            return lines.map { $0.inert + "\n" }.joined()
        }
    }
}

extension DiagnosticEntry {
    /// As `signalbox lint` prints it.
    fileprivate var text: String {
        let place = self.line.map { "\(self.file):\($0)" } ?? self.file
        return
            "\(place): \(self.severity)[\(self.code)]\(self.subject.map { " \($0)" } ?? ""): \(self.message) (\(self.cure))"
    }
}

extension [String: Int64] {
    /// "services and config entries stored 5 s ago and documents stored 700 s ago".
    fileprivate var words: String {
        [Int64: [String]](grouping: self.keys) { self[$0] ?? 0 }.sorted { $0.key < $1.key }.map { age, parts in
            "\(Set(parts.compactMap(CatalogGuard.Part.init)).words) stored \(age) s ago"
        }.joined(separator: " and ")
    }
}

extension Int {
    fileprivate func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
