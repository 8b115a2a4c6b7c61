// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// A route while its tags are read, one by one and in no order.
struct RouteDraft {
    private static let maximumHosts = 100
    private static let maximumMethods = 16
    private static let maximumHeaders = 32
    private static let maximumGateways = 16

    private(set) var tags: [String] = []
    private var hosts: Set<String> = []
    private var paths: Set<Match.PathMatch> = []
    private var methods: Set<String> = []
    private var headers: [String: Match.ValueMatch] = [:]
    private var gateways: Set<GatewayAddress> = []
    private var strip: String?
    private var rewrite: String?
    private var redirect: Redirect?
    private var timeout: Duration?
    private var retries: Int?
    private var conditions: Set<String> = []
    private var codes: Set<Int> = []

    mutating func read(_ key: SignalboxTags.RouteKey, _ value: String, _ tag: String) throws(BadTag) {
        self.tags.append(tag)
        switch key {
        case .host:
            for host in try TagValue.list(value, atMost: Self.maximumHosts) {
                self.hosts.insert(try TagValue.host(host))
            }
        case .path: self.paths.insert(.prefix(try TagValue.matchable(try TagValue.pathPrefix(value))))
        case .pathExact: self.paths.insert(.exact(try TagValue.matchable(try TagValue.path(value))))
        case .pathRegex: self.paths.insert(.regularExpression(try TagValue.regularExpression(value)))
        case .method:
            for method in try TagValue.list(value, atMost: Self.maximumMethods) {
                self.methods.insert(try TagValue.method(method))
            }
        case .strip: try setOnce(&self.strip, try TagValue.pathPrefix(value))
        case .rewrite: try setOnce(&self.rewrite, try TagValue.pathPrefix(value))
        case .redirect: try setOnce(&self.redirect, try Redirect(tag: value))
        case .timeout: try setOnce(&self.timeout, try TagValue.duration(value, zeroAllowed: true))
        case .retries: try setOnce(&self.retries, try TagValue.integer(value, in: Retry.attemptsRange))
        case .retryOn: try self.readConditions(value)
        case .gateway:
            for gateway in try TagValue.list(value, atMost: Self.maximumGateways) {
                self.gateways.insert(try TagValue.gateway(gateway))
            }
        }
    }

    mutating func read(header name: String, _ value: String, _ tag: String) throws(BadTag) {
        self.tags.append(tag)
        let header = try TagValue.header(name, value)
        try setOnce(&self.headers[header.name], header)
    }

    private mutating func readConditions(_ value: String) throws(BadTag) {
        for condition in try TagValue.list(value, atMost: 32) {
            if Retry.conditions.contains(condition) {
                self.conditions.insert(condition)
            } else if let code = Int(condition), condition.utf8.count == 3, (400...599).contains(code) {
                self.codes.insert(code)
            } else {
                throw TagValue.noChoice(condition, among: Retry.conditions.sorted() + ["a code in 400...599"])
            }
        }
    }

    /// What the tags say together.
    func statement() throws(BadTag) -> RouteStatement {
        guard self.paths.count <= 1 else {
            throw Self.combination("a route has one path", "keep one of the paths, or write one route for each")
        }
        guard self.hosts.count <= Self.maximumHosts, self.methods.count <= Self.maximumMethods,
            self.headers.count <= Self.maximumHeaders, self.gateways.count <= Self.maximumGateways
        else {
            throw BadTag(
                code: .tooMany,
                problem: "a route has at most \(Self.maximumHosts) hosts, \(Self.maximumMethods) methods, "
                    + "\(Self.maximumHeaders) headers and \(Self.maximumGateways) gateways",
                cure: "use fewer, or write several routes"
            )
        }
        guard self.hosts.count <= 1 || !self.hosts.contains("*") else {
            throw Self.combination("* is every host, the others too", "keep * or the others")
        }
        let path = self.paths.first ?? .prefix("/")
        let headers = self.headers.sorted { $0.key < $1.key }.map(\.value)
        let methods: [String?] = self.methods.isEmpty ? [nil] : self.methods.sorted()
        return RouteStatement(
            hostnames: self.hosts.isEmpty ? nil : self.hosts.sorted(),
            gateways: self.gateways.isEmpty ? nil : self.gateways.sorted(),
            matches: methods.map { Match(path: path, method: $0, headers: headers) },
            action: try self.action(path),
            tags: self.tags
        )
    }

    private func action(_ path: Match.PathMatch) throws(BadTag) -> RouteStatement.Action {
        let retry = try self.retry()
        guard let redirect else {
            return .forward(
                rewrite: try self.pathRewrite(path).map { Rewrite(path: $0) },
                timeout: self.timeout,
                retry: retry
            )
        }
        guard self.strip == nil, self.rewrite == nil, self.timeout == nil, retry == nil else {
            throw Self.combination(
                "a redirect sends no request on",
                "keep redirect, or keep strip, rewrite, timeout and retries"
            )
        }
        return .redirect(redirect)
    }

    private func pathRewrite(_ path: Match.PathMatch) throws(BadTag) -> PathRewrite? {
        guard self.strip == nil || self.rewrite == nil else {
            throw Self.combination("strip and rewrite both say what becomes of the path", "keep one of the two")
        }
        if let strip {
            // What is stripped is the path or its beginning, by whole elements: the rest of the path stays.
            guard case .prefix(let prefix) = path, let rest = Self.rest(of: prefix, after: strip) else {
                throw Self.combination(
                    "only what the route's path begins with can be stripped",
                    "write path=\(strip) too, or use rewrite"
                )
            }
            return try Self.replacement(of: prefix, by: rest)
        }
        guard let rewrite else { return nil }
        guard case .prefix(let prefix) = path else { return .replaceFullPath(rewrite) }
        return try Self.replacement(of: prefix, by: rewrite)
    }

    private static func rest(of path: String, after strip: String) -> String? {
        if path == strip { return "/" }
        if strip == "/" { return path }
        return path.utf8.starts(with: "\(strip)/".utf8) ? String(Substring(path.utf8.dropFirst(strip.utf8.count))) : nil
    }

    private static func replacement(of prefix: String, by replacement: String) throws(BadTag) -> PathRewrite {
        let elements = prefix.utf8.count { $0 == UInt8(ascii: "/") }
        guard replacement != "/" || elements <= PathRewrite.maximumRemovedElements else {
            throw BadTag(
                problem: "a path of \(elements) elements cannot be stripped whole, as over "
                    + "\(PathRewrite.maximumRemovedElements)",
                cure: "use a shorter path"
            )
        }
        return .replacePrefixMatch(replacement)
    }

    private func retry() throws(BadTag) -> Retry? {
        guard let attempts = self.retries else {
            guard self.conditions.isEmpty, self.codes.isEmpty else {
                throw Self.combination("retry-on says when and nobody how often", "write retries, too")
            }
            return nil
        }
        var retry = Retry(attempts: attempts, codes: self.codes.sorted())
        if !self.conditions.isEmpty || !self.codes.isEmpty { retry.retryOn = self.conditions.sorted() }
        return retry
    }

    private static func combination(_ problem: String, _ cure: String) -> BadTag {
        BadTag(code: .badCombination, problem: problem, cure: cure)
    }
}

/// Two different values for what may have one cannot both be meant.
private func setOnce<Value: Equatable>(_ place: inout Value?, _ value: Value) throws(BadTag) {
    guard place == nil || place == value else {
        throw BadTag(
            code: .badCombination,
            problem: "another tag of the instance gives the same key another value",
            cure: "keep one of the two"
        )
    }
    place = value
}

extension Redirect {
    /// - Parameter tag: `https`, or `https://www.example.com:8443/path` with or without port and path, or the same with
    ///   `http://`. Not `http` alone: where requests come as such, it would lead to themselves.
    fileprivate init(tag text: String) throws(BadTag) {
        let bad = BadTag(
            problem: "\(text.excerpt) is no place to redirect to",
            cure: "write https, or https:// or http:// and a host, with or without a port and a path"
        )
        guard let scheme = ["https", "http"].first(where: { text.hasPrefix("\($0)://") || text == "https" }) else {
            throw bad
        }
        self.init(scheme: scheme)
        guard text != scheme else { return }
        let rest = text.utf8.dropFirst(scheme.utf8.count + 3)
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let authority = rest[..<slash].split(
            separator: UInt8(ascii: ":"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard TextSyntax.isHostname(Substring(authority[0])) else { throw bad }
        self.hostname = String(Substring(authority[0])).lowercased()
        if authority.count == 2 {
            self.port = UInt16(clamping: try TagValue.integer(String(Substring(authority[1])), in: 1...65535))
        }
        if slash < rest.endIndex { self.path = .replaceFullPath(try TagValue.path(String(Substring(rest[slash...])))) }
    }
}

extension TagSettings {
    mutating func read(_ key: SignalboxTags.SettingKey, _ value: String) throws(BadTag) {
        switch key {
        case .enable: try setOnce(&self.isEnabled, try TagValue.boolean(value))
        case .protocol: try setOnce(&self.protocol, try TagValue.choice(value))
        case .lb: try setOnce(&self.loadBalancer, try TagValue.choice(value))
        case .connectTimeout: try setOnce(&self.connectTimeout, try TagValue.duration(value))
        case .canaryWeight: try setOnce(&self.canaryWeight, try TagValue.integer(value, in: 0...100))
        case .canaryHeader:
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let wanted = parts.count > 1 ? TagValue.trimmed(parts[1]) : "*"
            try setOnce(&self.canaryHeader, try TagValue.header(TagValue.trimmed(parts[0]), wanted))
        }
    }
}
