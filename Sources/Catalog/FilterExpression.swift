// SPDX-License-Identifier: Apache-2.0

/// Which instances a subset has, in Consul's own words: `Service.Meta.version == v1 and not "old" in Service.Tags`.
///
/// The language is that of Consul's `filter` parameter and of `service-resolver` subsets, without what an instance does
/// not know of itself, such as its checks. Parsed once; of bounded size and depth, so it may come from anybody.
/// See https://developer.hashicorp.com/consul/api-docs/features/filtering
package struct FilterExpression: Hashable, Sendable {
    /// In bytes, of the text.
    package static let maximumLength = 4096
    /// Of parentheses and negations in each other.
    package static let maximumDepth = 32
    package static let maximumConditions = 128

    package indirect enum Condition: Hashable, Sendable {
        /// At least two.
        case all([Condition])
        /// At least two.
        case any([Condition])
        case not(Condition)
        case equal(FilterSelector, String)
        /// A tag of the list, a key of the mapping, a part of the text.
        case contains(FilterSelector, String)
        /// An RE2 expression that matches somewhere in the text.
        case matches(FilterSelector, String)
        case isEmpty(FilterSelector)
    }

    package let condition: Condition

    package init(_ condition: Condition) {
        self.condition = condition
    }

    /// - Parameter matches: whether a regular expression (first) matches somewhere in a text (second).
    package func selects(
        _ instance: Instance,
        of service: ServiceName,
        matches: (String, String) -> Bool
    ) -> Bool {
        self.condition.holds(for: instance, of: service, matches: matches)
    }

    /// The regular expressions in it.
    package var regularExpressions: [String] { self.condition.regularExpressions }
}

extension FilterExpression.Condition {
    /// What an instance does not have equals nothing, contains nothing and matches nothing.
    fileprivate func holds(
        for instance: Instance,
        of service: ServiceName,
        matches: (String, String) -> Bool
    ) -> Bool {
        switch self {
        case .all(let conditions):
            return conditions.allSatisfy { $0.holds(for: instance, of: service, matches: matches) }
        case .any(let conditions):
            return conditions.contains { $0.holds(for: instance, of: service, matches: matches) }
        case .not(let condition):
            return !condition.holds(for: instance, of: service, matches: matches)
        case .equal(let selector, let value):
            guard case .text(let text) = selector.value(of: instance, of: service) else { return false }
            return text == value
        case .contains(let selector, let value):
            switch selector.value(of: instance, of: service) {
            case .text(let text): return text.unicodeScalars.contains(value.unicodeScalars)
            case .words(let words): return words.contains(value)
            case .mapping(let mapping): return mapping[value] != nil
            case nil: return false
            }
        case .matches(let selector, let pattern):
            guard case .text(let text) = selector.value(of: instance, of: service) else { return false }
            return matches(pattern, text)
        case .isEmpty(let selector):
            switch selector.value(of: instance, of: service) {
            case .text(let text): return text.isEmpty
            case .words(let words): return words.isEmpty
            case .mapping(let mapping): return mapping.isEmpty
            case nil: return true
            }
        }
    }

    fileprivate var regularExpressions: [String] {
        switch self {
        case .all(let conditions), .any(let conditions): conditions.flatMap(\.regularExpressions)
        case .not(let condition): condition.regularExpressions
        case .matches(_, let pattern): [pattern]
        case .equal, .contains, .isEmpty: []
        }
    }
}

extension FilterExpression: CustomStringConvertible {
    /// In one form for one meaning: two different expressions are never written alike.
    package var description: String { self.condition.text }
}

extension FilterExpression.Condition {
    fileprivate var text: String {
        switch self {
        case .all(let conditions): "(\(conditions.map(\.text).joined(separator: " and ")))"
        case .any(let conditions): "(\(conditions.map(\.text).joined(separator: " or ")))"
        case .not(.equal(let selector, let value)): "\(selector) != \(value.quoted)"
        case .not(.contains(let selector, let value)): "\(value.quoted) not in \(selector)"
        case .not(.matches(let selector, let pattern)): "\(selector) not matches \(pattern.quoted)"
        case .not(.isEmpty(let selector)): "\(selector) is not empty"
        case .not(let condition): "not \(condition.text)"
        case .equal(let selector, let value): "\(selector) == \(value.quoted)"
        case .contains(let selector, let value): "\(value.quoted) in \(selector)"
        case .matches(let selector, let pattern): "\(selector) matches \(pattern.quoted)"
        case .isEmpty(let selector): "\(selector) is empty"
        }
    }
}

extension String {
    /// As the language reads it back.
    var quoted: String {
        self.unicodeScalars.reduce(into: "\"") { result, scalar in
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        } + "\""
    }
}
