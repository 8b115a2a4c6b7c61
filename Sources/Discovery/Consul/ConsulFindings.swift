// SPDX-License-Identifier: Apache-2.0

import Catalog

/// Gathers what is wrong with a service's instances: one diagnostic a kind, whatever their number.
struct ConsulFindings {
    enum Kind: Hashable, CaseIterable {
        case unreadable
        case address
        case port
        case text
        /// Of a service whose name differs in case.
        case name
    }

    private let service: String
    private let datacenter: String
    private var found: [Kind: (example: String, instance: String?, times: Int)] = [:]

    init(service: String, datacenter: String) {
        self.service = service
        self.datacenter = datacenter
    }

    /// - Parameter instance: by its ID, if that is known.
    mutating func note(_ kind: Kind, _ example: String, of instance: String? = nil, times: Int = 1) {
        self.found[kind, default: (example, instance, 0)].times += times
    }

    var diagnostics: [Diagnostic] {
        Kind.allCases.compactMap { kind in
            self.found[kind].map { self.diagnostic(kind, example: $0.example, of: $0.instance, times: $0.times) }
        }
    }

    private func diagnostic(_ kind: Kind, example: String, of instance: String?, times: Int) -> Diagnostic {
        let first = instance.map { Self.excerpt($0) }
        let count =
            times == 1
            ? first.map { "the instance \($0)" } ?? "1 instance"
            : "\(times) instances" + (first.map { " (\($0) is the first)" } ?? "")
        let (has, isLeft) = times == 1 ? ("has", "is") : ("have", "are")
        let text = Self.excerpt(example)
        let (code, message, cure) =
            switch kind {
            case .unreadable:
                (
                    "SB351", "\(count) cannot be read and \(isLeft) left out: \(text)",
                    "register it again with a client that Consul's documentation knows"
                )
            case .address:
                (
                    "SB352", "\(count) \(has) no IP address and \(isLeft) left out: \"\(text)\" is its address",
                    "register the service, or its node, with an IPv4 or IPv6 address"
                )
            case .port:
                (
                    "SB352", "\(count) \(has) no port that can be reached and \(isLeft) left out: \(text)",
                    "register the service with a port from 1 to 65535"
                )
            case .text:
                (
                    "SB355", "tags or meta of \(count) are longer than 64 KiB and are left out: \"\(text)\"",
                    "keep tags and meta short"
                )
            case .name:
                (
                    "SB312", "\(count) of the service \"\(text)\" \(isLeft) left out, whose name differs in case only",
                    "give the two services names that Consul tells apart"
                )
            }
        return Diagnostic(
            // As of every instance that is left out.
            kind == .text || kind == .name ? .warning : .error,
            code: code,
            subject: "service/\(self.service)",
            message: message,
            cure: cure,
            origin: Origin(file: "consul:\(self.datacenter)/\(self.service)" + (first.map { "/\($0)" } ?? ""))
        )
    }

    /// One line without control characters.
    private static func excerpt(_ text: String) -> String {
        String(text.unicodeScalars.prefix(80).map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}
