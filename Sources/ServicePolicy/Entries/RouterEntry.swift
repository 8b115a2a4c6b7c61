// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

extension ServiceRouter {
    /// `service-router`. A route that cannot be used is left out, and the others stay: for want of a good version.
    /// See https://developer.hashicorp.com/consul/docs/reference/config-entry/service-router
    init(_ fields: EntryFields, origin: Origin, findings: inout EntryFindings) throws(EntryRefusal) {
        self.init(routes: [], origin: origin)
        try fields.requireOwnNamespace()
        fields.note(allBut: EntryEnvelope.fields.union(["Routes"]), in: &findings)
        for (index, route) in try fields.objects("Routes").enumerated() {
            do {
                self.routes.append(try Route(route, number: index + 1, findings: &findings))
                findings.takenParts[route.json, default: 0] += 1
            } catch {
                findings.leftOut.append(error)
                findings.leftOutParts[route.json, default: 0] += 1
            }
        }
    }
}

extension ServiceRouter.Route {
    fileprivate init(
        _ fields: EntryFields,
        number: Int,
        findings: inout EntryFindings
    ) throws(EntryRefusal) {
        self.init(number: number)
        try fields.require(nothingBut: ["Match", "Destination"])
        if let match = try fields.object("Match") {
            try match.require(nothingBut: ["HTTP"])
            if let http = try match.object("HTTP") {
                try self.read(match: http)
            }
        }
        if let destination = try fields.object("Destination") {
            try self.read(destination: destination, findings: &findings)
        }
    }

    private mutating func read(match fields: EntryFields) throws(EntryRefusal) {
        try fields.require(
            nothingBut: ["PathExact", "PathPrefix", "PathRegex", "Methods", "Header", "QueryParam"]
        )
        let exact = try fields.path("PathExact", fault: PathFault.init(path:))
        let prefix = try fields.path("PathPrefix", fault: PathFault.init(textPrefix:))
        let expression = try fields.regularExpression("PathRegex")
        switch (exact, prefix, expression) {
        case (nil, nil, nil): self.path = .any
        case (let exact?, nil, nil): self.path = .exact(exact)
        case (nil, let prefix?, nil): self.path = .prefix(prefix)
        case (nil, nil, let expression?): self.path = .regularExpression(expression)
        default:
            throw fields.refusal("PathExact", "it has several kinds of paths", cure: "write one of them")
        }
        for method in try fields.strings("Methods") {
            guard TextSyntax.isMethod(method.uppercased()) else {
                throw fields.refusal(
                    "Methods",
                    "'\(method.printable)' is no method",
                    cure: "write a method such as GET"
                )
            }
            if !self.methods.contains(method.uppercased()) { self.methods.append(method.uppercased()) }
        }
        self.headers = try fields.objects("Header").map { header throws(EntryRefusal) in try header.headerMatch() }
        self.queryParameters = try fields.objects("QueryParam").map { parameter throws(EntryRefusal) in
            try parameter.queryParameterMatch()
        }
    }

    private mutating func read(
        destination fields: EntryFields,
        findings: inout EntryFindings
    ) throws(EntryRefusal) {
        fields.note(
            allBut: [
                "Service", "ServiceSubset", "Namespace", "Partition", "PrefixRewrite", "RequestTimeout", "IdleTimeout",
                "NumRetries", "RetryOnConnectFailure", "RetryOn", "RetryOnStatusCodes", "RequestHeaders",
                "ResponseHeaders",
            ],
            in: &findings
        )
        self.destination = try fields.reference()
        self.timeout = try fields.timeout("RequestTimeout")
        self.idleTimeout = try fields.timeout("IdleTimeout")
        self.requestHeaders = try fields.headerModifier("RequestHeaders", in: &findings)
        self.responseHeaders = try fields.headerModifier("ResponseHeaders", in: &findings)
        self.retry = try fields.retry(findings: &findings)
        guard let rewrite = try fields.path("PrefixRewrite") else { return }
        switch self.path {
        case .exact, .prefix: self.prefixRewrite = rewrite
        case .any, .regularExpression:
            throw fields.refusal(
                "PrefixRewrite",
                "there is no prefix to rewrite",
                cure: "match by PathPrefix or PathExact"
            )
        }
    }
}

extension EntryFields {
    fileprivate func path(_ name: String) throws(EntryRefusal) -> String? {
        guard let text = try self.string(name) else { return nil }
        guard text.isPath else {
            throw self.refusal(
                name,
                "'\(text.printable)' is no path",
                cure: "begin it with a slash, and write no spaces, //, ? and #"
            )
        }
        return text
    }

    /// - Parameter fault: why no request has it.
    fileprivate func path(_ name: String, fault: (String) -> PathFault?) throws(EntryRefusal) -> String? {
        guard let path = try self.path(name) else { return nil }
        if let fault = fault(path) { throw self.refusal(name, fault.problem, cure: fault.cure) }
        return path
    }

    fileprivate func regularExpression(_ name: String) throws(EntryRefusal) -> String? {
        guard let text = try self.string(name) else { return nil }
        if let refusal = RegularExpression.refusal(of: text) {
            throw self.refusal(
                name,
                "Envoy would refuse '\(text.printable)': \(refusal.printable)",
                cure: "write it in RE2 syntax, and short"
            )
        }
        return text
    }

    /// What a header or a parameter must be, by the fields that may say it.
    private func value(_ kinds: [(String, (String) -> Match.ValueMatch.Value)]) throws(EntryRefusal)
        -> Match.ValueMatch.Value
    {
        var values: [Match.ValueMatch.Value] = []
        for (name, make) in kinds {
            guard let text = name == "Regex" ? try self.regularExpression(name) : try self.string(name) else {
                continue
            }
            guard text.isHeaderValue else {
                throw self.refusal(name, "it has control characters", cure: "take them out")
            }
            values.append(make(text))
        }
        if try self.boolean("Present") { values.append(.present) }
        guard values.count == 1 else {
            throw self.refusal("Name", "there is not exactly one condition", cure: "write one of Exact, Regex, Present")
        }
        return values[0]
    }

    fileprivate func headerMatch() throws(EntryRefusal) -> Match.ValueMatch {
        try self.require(nothingBut: ["Name", "Present", "Exact", "Prefix", "Suffix", "Contains", "Regex", "Invert"])
        guard let name = try self.string("Name"), name.isHeaderName else {
            throw self.refusal("Name", "it is no name of a header", cure: "write letters, digits and dashes")
        }
        let value = try self.value([
            ("Exact", { .exact($0) }), ("Prefix", { .prefix($0) }), ("Suffix", { .suffix($0) }),
            ("Contains", { .contains($0) }), ("Regex", { .regularExpression($0) }),
        ])
        return Match.ValueMatch(name: name.lowercased(), value: value, isInverted: try self.boolean("Invert"))
    }

    fileprivate func queryParameterMatch() throws(EntryRefusal) -> Match.ValueMatch {
        try self.require(nothingBut: ["Name", "Present", "Exact", "Regex"])
        guard let name = try self.string("Name"), name.utf8.count <= 1024, name.isHeaderValue else {
            throw self.refusal("Name", "it is no name of a parameter", cure: "write up to 1,024 characters")
        }
        // An exact value that is empty is one that is not written.
        let isExact = self.members["Exact"] == nil && self.members["Regex"] == nil && self.members["Present"] == nil
        let value: Match.ValueMatch.Value =
            isExact ? .exact("") : try self.value([("Exact", { .exact($0) }), ("Regex", { .regularExpression($0) })])
        return Match.ValueMatch(name: name, value: value)
    }

    /// Nil if nothing is retried.
    fileprivate func retry(findings: inout EntryFindings) throws(EntryRefusal) -> Retry? {
        let attempts = try self.integer("NumRetries", in: 0...Int(UInt32.max))
        var conditions: [String] = []
        for condition in try self.strings("RetryOn") {
            guard Retry.conditions.contains(condition) else {
                throw self.refusal(
                    "RetryOn",
                    "'\(condition.printable)' is no condition that Envoy knows",
                    cure: "write conditions of x-envoy-retry-on"
                )
            }
            conditions.append(condition)
        }
        if try self.boolean("RetryOnConnectFailure"), !conditions.contains("connect-failure") {
            conditions.append("connect-failure")
        }
        var codes: [Int] = []
        for item in try self.array("RetryOnStatusCodes") {
            guard case .number(let text) = item, let code = Int(text), (100...599).contains(code) else {
                throw self.refusal("RetryOnStatusCodes", "it has what is no status code", cure: "write such as 503")
            }
            codes.append(code)
        }
        guard !conditions.isEmpty || !codes.isEmpty else {
            if attempts != nil {
                findings.unused.append(
                    self.refusal(
                        "NumRetries",
                        "nothing is retried, because there is no condition",
                        cure: "write RetryOnConnectFailure, RetryOn or RetryOnStatusCodes, too"
                    )
                )
            }
            return nil
        }
        let maximum = Retry.attemptsRange.upperBound
        if let attempts, attempts > maximum {
            findings.unused.append(
                self.refusal("NumRetries", "no more than \(maximum) are made", cure: "write at most \(maximum)")
            )
        }
        return Retry(attempts: min(attempts ?? 1, maximum), codes: codes, retryOn: conditions)
    }
}
