// SPDX-License-Identifier: Apache-2.0

import Catalog

extension TagPreparation {
    /// What became of what tags say of a route.
    enum Outcome { case said, kept, leftOut }

    /// Reports what is wrong with the tags of one service, and what it costs.
    mutating func reportFaults(_ outcomes: [String: Outcome]) {
        for fault in self.tags.faults.prefix(ServiceTags.maximumFaults) {
            let consequence: String? =
                switch fault.cost {
                case .nothing: nil
                case .route(let name):
                    switch outcomes[name] {
                    case .said: "what other instances say of \(routeLabel(name)) counts"
                    case .kept: "\(routeLabel(name)) stays as it was last good"
                    case .leftOut, nil: "\(routeLabel(name)) is left out"
                    }
                case .setting(let setting) where !self.tags.badSettings.contains(setting):
                    "what other instances say counts"
                case .setting(.enable) where self.previous == nil: "until it is right the service has no routes"
                case .setting(let setting): "\(setting.label) stays as it was"
                }
            self.report(
                fault.code,
                fault.message + (consequence.map { "; \($0)" } ?? ""),
                cure: fault.cure
            )
        }
        let rest = self.tags.faults.count - ServiceTags.maximumFaults
        if rest > 0 {
            self.report(.tooMany, "\(rest) more tags are wrong", cure: "cure those that are named")
        }
    }

    mutating func report(_ code: TagCode, _ message: String, cure: String) {
        self.diagnostics.append(
            Diagnostic(
                code.severity,
                code: code.rawValue,
                subject: "service/\(self.tags.service.rawValue.printable)",
                message: message,
                cure: cure,
                origin: self.tags.origin
            )
        )
    }
}

extension TagCode {
    var severity: Diagnostic.Severity {
        switch self {
        case .instancesDisagree, .decidedElsewhere: .warning
        case .unknownTag, .badValue, .unknownGateway, .conflict, .hostNotPermitted, .badCombination, .tooMany: .error
        }
    }
}

extension [String] {
    /// For messages.
    var hostList: String {
        let hosts = self.prefix(5).map { $0 == "*" ? "every host" : $0.excerpt }.joined(separator: ", ")
        return self.count > 5 ? "\(hosts) and \(self.count - 5) more hosts" : hosts
    }
}
