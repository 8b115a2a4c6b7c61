// SPDX-License-Identifier: Apache-2.0

extension FilterExpression {
    /// Nil if the text is empty: that selects every instance.
    package static func parse(_ text: String) throws(FilterError) -> FilterExpression? {
        var tokenizer = try FilterTokenizer(text)
        let tokens = try tokenizer.tokens()
        if tokens.isEmpty { return nil }
        var parser = FilterParser(tokens: tokens[...])
        return FilterExpression(try parser.whole())
    }
}

/// Reads tokens by the grammar of https://github.com/hashicorp/go-bexpr: `or` binds weaker than `and`, that weaker than `not`.
private struct FilterParser {
    var tokens: ArraySlice<FilterToken>
    var depth = 0
    var conditions = 0

    mutating func whole() throws(FilterError) -> FilterExpression.Condition {
        let condition = try self.alternatives()
        guard self.tokens.isEmpty else { throw FilterError("after a condition only 'and' and 'or' may follow") }
        return condition
    }

    private mutating func alternatives() throws(FilterError) -> FilterExpression.Condition {
        var parts = [try self.conjunction()]
        while self.take("or") { parts.append(try self.conjunction()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func conjunction() throws(FilterError) -> FilterExpression.Condition {
        var parts = [try self.negation()]
        while self.take("and") { parts.append(try self.negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation() throws(FilterError) -> FilterExpression.Condition {
        guard self.depth < FilterExpression.maximumDepth else {
            throw FilterError("it is nested over \(FilterExpression.maximumDepth) deep")
        }
        self.depth += 1
        defer { self.depth -= 1 }
        if self.take("not") { return .not(try self.negation()) }
        guard self.tokens.first == .open else { return try self.match() }
        self.tokens.removeFirst()
        let condition = try self.alternatives()
        guard self.tokens.popFirst() == .close else { throw FilterError("a parenthesis is not closed") }
        return condition
    }

    /// `selector == value`, `selector is empty`, `value in selector` and so on.
    private mutating func match() throws(FilterError) -> FilterExpression.Condition {
        self.conditions += 1
        guard self.conditions <= FilterExpression.maximumConditions else {
            throw FilterError("it has over \(FilterExpression.maximumConditions) conditions")
        }
        guard let subject = self.tokens.popFirst() else { throw FilterError("a condition is missing") }
        switch self.tokens.popFirst() {
        case .equal: return try self.comparison(subject, .equal, isNegated: false)
        case .notEqual: return try self.comparison(subject, .equal, isNegated: true)
        case .path(let words) where words.count == 1: return try self.match(subject, words[0])
        default: throw FilterError("it has a condition without ==, !=, in, contains, matches or 'is empty'")
        }
    }

    private mutating func match(
        _ subject: FilterToken,
        _ word: String
    ) throws(FilterError) -> FilterExpression.Condition {
        switch word {
        case "contains": return try self.comparison(subject, .contains, isNegated: false)
        case "matches": return try self.comparison(subject, .matches, isNegated: false)
        case "in": return try self.membership(of: subject, isNegated: false)
        case "is":
            let isNegated = self.take("not")
            guard self.take("empty") else { throw FilterError("after 'is' only 'empty' and 'not empty' may follow") }
            let selector = try self.selector(subject, asked: .isEmpty)
            return isNegated ? .not(.isEmpty(selector)) : .isEmpty(selector)
        case "not":
            if self.take("in") { return try self.membership(of: subject, isNegated: true) }
            if self.take("contains") { return try self.comparison(subject, .contains, isNegated: true) }
            if self.take("matches") { return try self.comparison(subject, .matches, isNegated: true) }
            throw FilterError("after 'not' only 'in', 'contains' and 'matches' may follow")
        default:
            throw FilterError("it has a condition without ==, !=, in, contains, matches or 'is empty'")
        }
    }

    private enum Question: String {
        case equal = "=="
        case contains = "in"
        case matches
        case isEmpty = "is empty"
    }

    private mutating func membership(
        of value: FilterToken,
        isNegated: Bool
    ) throws(FilterError) -> FilterExpression.Condition {
        guard let value = value.value, let token = self.tokens.popFirst() else {
            throw FilterError("'in' stands between a value and a selector")
        }
        let selector = try self.selector(token, asked: .contains)
        return isNegated ? .not(.contains(selector, value)) : .contains(selector, value)
    }

    private mutating func comparison(
        _ subject: FilterToken,
        _ question: Question,
        isNegated: Bool
    ) throws(FilterError) -> FilterExpression.Condition {
        let selector = try self.selector(subject, asked: question)
        guard let value = self.tokens.popFirst()?.value else { throw FilterError("a value is missing") }
        let condition: FilterExpression.Condition
        switch question {
        case .equal:
            if selector.kind == .number {
                guard let number = Int(value) else { throw FilterError("\(selector) is a number") }
                condition = .equal(selector, String(number))
            } else {
                condition = .equal(selector, value)
            }
        case .contains: condition = .contains(selector, value)
        case .matches: condition = .matches(selector, value)
        case .isEmpty: condition = .isEmpty(selector)
        }
        return isNegated ? .not(condition) : condition
    }

    private func selector(_ token: FilterToken, asked question: Question) throws(FilterError) -> FilterSelector {
        guard case .path(let path) = token else { throw FilterError("a value stands where a selector should") }
        guard let selector = FilterSelector(path) else {
            throw FilterError("'\(path.joined(separator: "."))' is not known of an instance")
        }
        let isAnswered =
            switch selector.kind {
            case .text: question != .isEmpty
            case .number: question == .equal
            case .words, .mapping: question == .contains || question == .isEmpty
            }
        guard isAnswered else { throw FilterError("'\(question.rawValue)' cannot be asked of \(selector)") }
        return selector
    }

    private mutating func take(_ word: String) -> Bool {
        guard self.tokens.first?.isWord(word) == true else { return false }
        self.tokens.removeFirst()
        return true
    }
}
