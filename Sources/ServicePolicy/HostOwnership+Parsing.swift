// SPDX-License-Identifier: Apache-2.0

import Catalog

extension HostOwnership {
    /// Why a rule of the settings is none.
    package struct BadRule: Error, Hashable, CustomStringConvertible {
        package let rule: String
        package let problem: String

        package var description: String { "\(self.rule.excerpt) is no rule of host ownership: \(self.problem)" }
    }

    /// - Parameter rules: each as `HOSTS=SERVICES`, several of either with `|` between them:
    ///   `*.shop.example.com|shop.example.com=shop-*|checkout`.
    package init(parsing rules: [String]) throws(BadRule) {
        self.init()
        for rule in rules {
            self.rules.append(try Rule(parsing: rule))
        }
    }
}

extension HostOwnership.Rule {
    package init(parsing rule: String) throws(HostOwnership.BadRule) {
        guard let equals = rule.firstIndex(of: "=") else {
            throw HostOwnership.BadRule(rule: rule, problem: "write HOSTS=SERVICES, such as *.shop.example.com=shop-*")
        }
        self.init(hosts: [], services: [])
        for word in Self.words(rule[..<equals]) {
            guard let pattern = HostOwnership.HostPattern(word) else {
                throw HostOwnership.BadRule(
                    rule: rule,
                    problem: "\(word.excerpt) is neither a host name nor \"*.\" and a host name nor \"*\""
                )
            }
            self.hosts.append(pattern)
        }
        for word in Self.words(rule[rule.index(after: equals)...]) {
            guard let pattern = HostOwnership.ServicePattern(word) else {
                throw HostOwnership.BadRule(
                    rule: rule,
                    problem: "\(word.excerpt) is not the name of a service with a * at most at its end"
                )
            }
            self.services.append(pattern)
        }
    }

    private static func words(_ side: Substring) -> [String] {
        side.split(separator: "|", omittingEmptySubsequences: false).map { word in
            let start = word.drop { $0 == " " }
            return String(start[..<(start.lastIndex { $0 != " " }.map { start.index(after: $0) } ?? start.startIndex)])
        }
    }
}
