// SPDX-License-Identifier: Apache-2.0

import Catalog

/// A reference to what does not exist, and how that is told.
enum DanglingReference {
    case gateway(Route.GatewayReference)
    case listener(Route.GatewayReference)
    case service(Route.Backend)
    /// A source has it, and the settings leave it out.
    case untaken(Route.Backend, Untaken, in: SourceName)

    var isService: Bool {
        switch self {
        case .service, .untaken: true
        case .gateway, .listener: false
        }
    }

    /// `consequence` says what is in force instead.
    func diagnostic(subject: String, consequence: String) -> Diagnostic {
        switch self {
        case .gateway(let reference):
            Diagnostic(
                .error,
                code: "SB201",
                subject: subject,
                message: "no gateway is named '\(reference.gateway)'; \(consequence)",
                cure: "correct the name, or write a gateway document of that name",
                origin: reference.origin
            )
        case .listener(let reference):
            Diagnostic(
                .error,
                code: "SB202",
                subject: subject,
                message: "gateway '\(reference.gateway)' has no listener '\(reference.listener ?? "")'; \(consequence)",
                cure: "correct the name, or give the gateway a listener of that name",
                origin: reference.origin
            )
        case .service(let backend):
            Diagnostic(
                .error,
                code: Diagnostic.unknownServiceCode,
                subject: subject,
                message: "no service is named '\(backend.service)'; \(consequence)",
                cure: "correct the name, or write a service document of that name (it may have no instances)",
                origin: backend.origin
            )
        case .untaken(let backend, let untaken, let source):
            Diagnostic(
                .error,
                code: Diagnostic.unknownServiceCode,
                subject: subject,
                message: "the service '\(backend.service)' is in \(source.rawValue) and not taken: \(untaken.reason); "
                    + consequence,
                cure: untaken.cure,
                origin: backend.origin
            )
        }
    }
}

extension Diagnostic {
    fileprivate static let unknownServiceCode = "SB203"
}
