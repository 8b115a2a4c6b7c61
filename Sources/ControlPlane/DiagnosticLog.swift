// SPDX-License-Identifier: Apache-2.0

import Catalog
import Logging

/// Which diagnostics the log has told of: each is told when it comes, and when it is gone.
struct DiagnosticLog {
    /// What makes two diagnostics the same to whoever reads the log.
    private struct Key: Hashable {
        var code: String
        var subject: String?
        var origin: Origin
        /// Nil of what is held or stands in: it goes on counting, and each step is logged by itself.
        var message: String?

        init(_ diagnostic: Diagnostic) {
            self.code = diagnostic.code
            self.subject = diagnostic.subject
            self.origin = diagnostic.origin
            self.message = ["SB302", "SB303", "SB304", "SB307"].contains(diagnostic.code) ? nil : diagnostic.message
        }
    }

    /// What it is about, whatever is said of it.
    private struct Topic: Hashable {
        var code: String
        var subject: String?

        init(_ diagnostic: Diagnostic) {
            self.code = diagnostic.code
            self.subject = diagnostic.subject
        }
    }

    /// Those that follow the catalog, which may change again and again by itself, are told once in that time at most.
    private static let pause = Duration.seconds(60)
    private static let paced: Set<String> = ["SB301"]

    private var logged: [Key: Diagnostic] = [:]
    /// When those that are paced were told.
    private var told: [Topic: (time: Duration, diagnostic: Diagnostic)] = [:]
    /// When something is to be told that is kept back; nil: nothing is.
    private(set) var due: Duration?

    func hasTold(_ diagnostic: Diagnostic) -> Bool { self.logged[Key(diagnostic)] != nil }

    /// - Parameters:
    ///   - diagnostics: all that there are.
    ///   - now: monotonic.
    /// - Returns: what to say of them.
    mutating func update(_ diagnostics: [Diagnostic], at now: Duration) -> (new: [Diagnostic], cured: [Diagnostic]) {
        var before = self.logged
        var new: [Diagnostic] = []
        self.logged = [:]
        self.due = nil
        self.told = self.told.filter { now < $0.value.time + Self.pause }
        for diagnostic in diagnostics {
            let key = Key(diagnostic)
            if before.removeValue(forKey: key) == nil, self.logged[key] == nil {
                let topic = Topic(diagnostic)
                if let (time, last) = self.told[topic] {
                    self.due = min(self.due ?? .seconds(Int64.max), time + Self.pause)
                    // What was told last stands, unless it was said to be gone.
                    if before.removeValue(forKey: Key(last)) != nil { self.logged[Key(last)] = last }
                    continue
                }
                new.append(diagnostic)
                if Self.paced.contains(diagnostic.code) { self.told[topic] = (now, diagnostic) }
            }
            self.logged[key] = diagnostic
        }
        // One that only changed its words or its line is not cured.
        let stayed = Set(diagnostics.map(Topic.init))
        let cured = before.values.filter { !stayed.contains(Topic($0)) }
        return (new, cured.sorted { $0.description < $1.description })
    }
}

extension Logger {
    /// In the words of `GET /state`: what it calls `message` is the message of the line.
    func log(_ diagnostic: Diagnostic) {
        let level: Level =
            switch diagnostic.severity {
            case .error: .error
            case .warning: .warning
            case .note: .info
            }
        self.log(
            level: level,
            "\(diagnostic.message)",
            metadata: diagnostic.place.merging(["cure": "\(diagnostic.cure)"]) { $1 }
        )
    }

    func log(cured diagnostic: Diagnostic) {
        self.notice("configuration diagnostic cured", metadata: diagnostic.place)
    }
}

extension Diagnostic {
    fileprivate var place: Logger.Metadata {
        var metadata: Logger.Metadata = ["code": "\(self.code)", "file": "\(self.origin.file)"]
        metadata["subject"] = self.subject.map { "\($0)" }
        metadata["line"] = self.origin.line.map { "\($0)" }
        return metadata
    }
}
