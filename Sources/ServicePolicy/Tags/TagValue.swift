// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Why a tag cannot be used: what a message and a cure say after the tag itself.
struct BadTag: Error {
    var code = TagCode.badValue
    var problem: String
    var cure: String
}

/// The forms of values in tags: those of documents, in the same limits.
enum TagValue {
    /// The parts of a list, without spaces around them.
    static func list(_ text: String, atMost limit: Int) throws(BadTag) -> [String] {
        let parts = text.split(separator: ",", maxSplits: limit, omittingEmptySubsequences: false).map(Self.trimmed)
        guard parts.count <= limit else {
            throw BadTag(code: .tooMany, problem: "it lists more than \(limit)", cure: "list fewer")
        }
        guard !parts.contains("") else {
            throw BadTag(problem: "it lists something empty", cure: "write a value on both sides of each comma")
        }
        return parts
    }

    /// In lower case. "*" is every host.
    static func host(_ text: String) throws(BadTag) -> String {
        guard text == "*" || TextSyntax.isHostname(text.hasPrefix("*.") ? text.dropFirst(2) : text[...]) else {
            throw BadTag(
                problem: "\(text.excerpt) is no host name",
                cure: "write host names without scheme, port and path, such as web.example.com or *.example.com"
            )
        }
        return text.lowercased()
    }

    static func path(_ text: String) throws(BadTag) -> String {
        guard text.utf8.count <= TextSyntax.maximumPathBytes, TextSyntax.isPath(text) else {
            throw BadTag(
                problem: "\(text.excerpt) is no path of up to \(TextSyntax.maximumPathBytes) bytes",
                cure: text.hasPrefix("/")
                    ? "write it without \"//\", \"?\", \"#\" and spaces" : "begin it with a slash, such as /api"
            )
        }
        return text
    }

    /// Without the slash at its end, but for "/" itself.
    static func pathPrefix(_ text: String) throws(BadTag) -> String {
        let path = try Self.path(text)
        return path.utf8.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// A path that requests can have.
    static func matchable(_ path: String) throws(BadTag) -> String {
        if let fault = PathFault(path: path) { throw BadTag(problem: fault.problem, cure: fault.cure) }
        return path
    }

    static func regularExpression(_ text: String) throws(BadTag) -> String {
        guard !text.isEmpty, text.utf8.count <= TextSyntax.maximumPathBytes else {
            throw BadTag(
                problem: "the expression is empty or has more than \(TextSyntax.maximumPathBytes) bytes",
                cure: "write an expression for the whole path, such as /v[0-9]+/.*"
            )
        }
        if let refusal = RegularExpression.refusal(of: text) {
            throw BadTag(
                problem: "Envoy would refuse the expression: \(refusal.printable)",
                cure: "write it in RE2 syntax (no look-around, no back-references), and short"
            )
        }
        return text
    }

    static func method(_ text: String) throws(BadTag) -> String {
        guard text.utf8.count <= 64, TextSyntax.isMethod(text) else {
            throw BadTag(problem: "\(text.excerpt) is no HTTP method", cure: "write it in capital letters, such as GET")
        }
        return text
    }

    /// - Parameter value: `*` is any.
    static func header(_ name: String, _ value: String) throws(BadTag) -> Match.ValueMatch {
        guard name.utf8.count <= TextSyntax.maximumHeaderNameBytes, TextSyntax.isToken(name) else {
            throw BadTag(
                problem: "\(name.excerpt) is no name of a header",
                cure: "write letters, digits and dashes, such as x-canary"
            )
        }
        guard !value.isEmpty, value.utf8.count <= TextSyntax.maximumHeaderValueBytes,
            !TextSyntax.hasControlCharacters(value)
        else {
            throw BadTag(
                problem: "the header's value is empty, has control characters or more than "
                    + "\(TextSyntax.maximumHeaderValueBytes) bytes",
                cure: "write a value, or * for any"
            )
        }
        return Match.ValueMatch(name: name.lowercased(), value: value == "*" ? .present : .exact(value))
    }

    static func duration(_ text: String, zeroAllowed: Bool = false) throws(BadTag) -> Duration {
        guard let duration = TextSyntax.duration(text), duration <= TextSyntax.maximumDuration,
            zeroAllowed || duration > .zero
        else {
            throw BadTag(
                problem: "\(text.excerpt) is no duration \(zeroAllowed ? "of" : "over 0 and") up to 24h",
                cure: "write whole numbers with the units h, m, s and ms, such as 10s, 250ms or 1m30s"
            )
        }
        return duration
    }

    static func integer(_ text: String, in range: ClosedRange<Int>) throws(BadTag) -> Int {
        guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy(TextSyntax.isDigit), let value = Int(text),
            range.contains(value)
        else {
            throw BadTag(
                problem: "\(text.excerpt) is no whole number in \(range.lowerBound)...\(range.upperBound)",
                cure: "write a number in that range"
            )
        }
        return value
    }

    static func gateway(_ text: String) throws(BadTag) -> GatewayAddress {
        guard let address = GatewayAddress(text) else {
            throw BadTag(
                problem: "\(text.excerpt) is neither a gateway nor a listener of one",
                cure: "write the name of a gateway, or of a gateway and a listener: edge or edge/http"
            )
        }
        return address
    }

    static func choice<Value>(_ text: String) throws(BadTag) -> Value
    where Value: RawRepresentable<String> & CaseIterable {
        guard let value = Value(rawValue: text) else {
            throw Self.noChoice(text, among: Value.allCases.map(\.rawValue))
        }
        return value
    }

    static func boolean(_ text: String) throws(BadTag) -> Bool {
        switch text {
        case "true": true
        case "false": false
        default: throw Self.noChoice(text, among: ["true", "false"])
        }
    }

    static func noChoice(_ text: String, among choices: [String]) -> BadTag {
        BadTag(
            problem: "\(text.excerpt) is none of the values that there are",
            cure: Spelling.nearest(to: String(text.prefix(64)), among: choices).map { "did you mean \($0)?" }
                ?? "write one of \(choices.joined(separator: ", "))"
        )
    }

    static func trimmed(_ text: Substring) -> String {
        var bytes = text.utf8
        while let first = bytes.first, " \t".utf8.contains(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, " \t".utf8.contains(last) { bytes = bytes.dropLast() }
        return String(Substring(bytes))
    }
}

extension BadTag {
    func fault(of tag: String, cost: TagFault.Cost) -> TagFault {
        TagFault(self.code, cost: cost, "tag \(tag.excerpt): \(self.problem)", cure: self.cure)
    }

    /// Of several tags, which do not go together.
    func fault(of tags: [String], cost: TagFault.Cost) -> TagFault {
        let shown = tags.prefix(6).map(\.excerpt).joined(separator: ", ") + (tags.count > 6 ? ", ..." : "")
        return TagFault(self.code, cost: cost, "tags \(shown): \(self.problem)", cure: self.cure)
    }
}
