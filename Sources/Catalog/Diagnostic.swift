// SPDX-License-Identifier: Apache-2.0

/// One finding about an operator's input: which rule, where, what is wrong and how to cure it.
///
/// Bad input is a diagnostic and never an exception: the rest proceeds. Each code has a section in
/// `docs/diagnostics.md`.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, Comparable {
        /// The input works as meant, and somebody may wonder: nothing is to be done.
        case note
        /// The input works, but probably not as meant.
        case warning
        /// The input was refused; the last good version stays in force.
        case error

        package static func < (left: Severity, right: Severity) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int {
            switch self {
            case .note: 0
            case .warning: 1
            case .error: 2
            }
        }
    }

    package var severity: Severity
    /// `SB` and three digits; stable.
    package var code: String
    /// What it is about, as "kind/name" (for example "route/web"); nil when not even that could be read.
    package var subject: String?
    /// What is wrong, in one line.
    package var message: String
    /// What to do about it, in one line.
    package var cure: String
    package var origin: Origin

    package init(
        _ severity: Severity,
        code: String,
        subject: String? = nil,
        message: String,
        cure: String,
        origin: Origin
    ) {
        self.severity = severity
        self.code = code
        self.subject = subject
        self.message = message
        self.cure = cure
        self.origin = origin
    }
}

extension Diagnostic: CustomStringConvertible {
    /// The form of compilers and linters: `file:line: error[SB104] route/web: message (cure)`. One line, though the place
    /// may be named by whoever registered it.
    package var description: String {
        let subject = self.subject.map { " \($0)" } ?? ""
        return "\(self.origin): \(self.severity.rawValue)[\(self.code)]\(subject): \(self.message) (\(self.cure))".inert
    }
}
