// SPDX-License-Identifier: Apache-2.0

package import Catalog
import Routing

/// Our own tags: `signalbox.<key>=<value>`. The whole grammar is here, and in `docs/tags.md` for people.
///
///     tag   = prefix key "=" value
///     key   = setting | route-key | "route." name "." route-key
///     name  = 1 to 63 letters, digits, dashes and underscores
package struct SignalboxTags: TagDialect {
    /// Keys about the service as a whole.
    enum SettingKey: String, CaseIterable {
        case enable
        case `protocol`
        case lb
        case connectTimeout = "connect-timeout"
        case canaryWeight = "canary.weight"
        case canaryHeader = "canary.header"

        var setting: TagSetting {
            switch self {
            case .enable: .enable
            case .protocol: .protocol
            case .lb: .loadBalancer
            case .connectTimeout: .connectTimeout
            case .canaryWeight: .canaryWeight
            case .canaryHeader: .canaryHeader
            }
        }
    }

    /// Keys about one route.
    enum RouteKey: String, CaseIterable {
        case host
        case path
        case pathExact = "path.exact"
        case pathRegex = "path.regex"
        case method
        case strip
        case rewrite
        case redirect
        case timeout
        case retries
        case retryOn = "retry-on"
        case gateway
    }

    enum Key: Hashable {
        case setting(SettingKey)
        case route(String, RouteKey)
        /// `header.<name>`
        case header(String, name: String)
        /// About one instance.
        case weight
        /// Of this route, as far as can be told.
        case unknown(route: String)
    }

    /// As of any tag that a source may bring in.
    static let maximumTagBytes = 4096
    static let maximumTags = 512
    static let maximumRoutes = 64

    private static let routePrefix = "route."
    private static let headerPrefix = "header."
    private static let weightKey = "weight"

    /// What every tag begins with, its dot included.
    private let prefix: String

    package init(prefix: String = "signalbox.") {
        self.prefix = prefix
    }

    package func isRelevant(_ tag: String) -> Bool {
        self.isOurs(tag) || self.misspelt(tag) != nil
    }

    package func weight(_ tag: String) -> TagWeight? {
        guard self.isOurs(tag), let (key, value) = self.split(tag), key == Self.weightKey else { return nil }
        do throws(BadTag) {
            return .weight(Weight(try TagValue.integer(value, in: Weight.range)) ?? .default)
        } catch {
            return .bad(error.fault(of: tag, cost: .nothing))
        }
    }

    package func read(_ tags: [String], of service: ServiceName) -> TagStatements {
        var statements = TagStatements()
        guard tags.count <= Self.maximumTags else {
            return .refused("an instance has \(tags.count) tags of ours, and may have \(Self.maximumTags)")
        }
        var drafts: [String: RouteDraft] = [:]
        for tag in tags {
            self.read(tag, into: &statements, &drafts)
        }
        guard drafts.count <= Self.maximumRoutes else {
            return .refused("an instance speaks of \(drafts.count) routes, and may of \(Self.maximumRoutes)")
        }
        for (name, draft) in drafts {
            do throws(BadTag) {
                statements.routes[name] = try draft.statement()
            } catch {
                statements.faults.append(error.fault(of: draft.tags, cost: .route(name)))
            }
        }
        for case .route(let name) in statements.faults.lazy.map(\.cost) {
            statements.badRoutes.insert(name)
            statements.routes[name] = nil
        }
        let good = Set(TagSetting.allCases).subtracting(statements.badSettings)
        statements.settings = TagSettings().completed(by: statements.settings, good)
        return statements
    }

    private func read(_ tag: String, into statements: inout TagStatements, _ drafts: inout [String: RouteDraft]) {
        guard self.isOurs(tag) else {
            guard let meant = self.misspelt(tag) else { return }
            let fault = BadTag(
                code: .unknownTag,
                problem: "it looks like one of ours and is none, so it does nothing",
                cure: "did you mean \(meant.excerpt)?"
            )
            return statements.faults.append(fault.fault(of: tag, cost: .nothing))
        }
        guard let (text, value) = self.split(tag) else {
            let key = self.key(String(Substring(tag.utf8.dropFirst(self.prefix.utf8.count).prefix(256))))
            let fault = BadTag(problem: "it has no value", cure: "write \(self.prefix)<key>=<value>")
            return statements.faults.append(fault.fault(of: tag, cost: key.cost))
        }
        let key = self.key(text)
        do throws(BadTag) {
            guard tag.utf8.count <= Self.maximumTagBytes else {
                throw BadTag(
                    code: .tooMany,
                    problem: "it has \(tag.utf8.count) bytes, and may have \(Self.maximumTagBytes)",
                    cure: "shorten it"
                )
            }
            switch key {
            case .setting(let setting): try statements.settings.read(setting, value)
            case .route(let name, let key): try drafts[name, default: RouteDraft()].read(key, value, tag)
            case .header(let name, let header): try drafts[name, default: RouteDraft()].read(header: header, value, tag)
            case .weight: break
            case .unknown:
                throw BadTag(code: .unknownTag, problem: "there is no such key", cure: self.guess(text))
            }
        } catch {
            if case .setting(let setting) = key { statements.badSettings.insert(setting.setting) }
            statements.faults.append(error.fault(of: tag, cost: key.cost))
        }
    }

    private func key(_ text: String) -> Key {
        if text == Self.weightKey { return .weight }
        if let setting = SettingKey(rawValue: text) { return .setting(setting) }
        guard text.hasPrefix(Self.routePrefix) else { return Self.routeKey(text, of: "") ?? .unknown(route: "") }
        let rest = text.dropFirst(Self.routePrefix.count)
        guard let dot = rest.firstIndex(of: "."), Self.isRouteName(rest[..<dot]) else { return .unknown(route: "") }
        let name = String(rest[..<dot])
        return Self.routeKey(String(rest[rest.index(after: dot)...]), of: name) ?? .unknown(route: name)
    }

    private static func routeKey(_ text: String, of route: String) -> Key? {
        if let key = RouteKey(rawValue: text) { return .route(route, key) }
        guard text.hasPrefix(Self.headerPrefix), text != Self.headerPrefix else { return nil }
        return .header(route, name: String(text.dropFirst(Self.headerPrefix.count)))
    }

    private static func isRouteName(_ text: Substring) -> Bool {
        text.utf8.count <= 63 && TextSyntax.isName(text) && !text.utf8.contains(UInt8(ascii: "."))
    }

    private func isOurs(_ tag: String) -> Bool {
        tag.utf8.starts(with: self.prefix.utf8)
    }

    /// What is between the prefix and the first "=", and what is after it.
    private func split(_ tag: String) -> (key: String, value: String)? {
        let rest = tag.utf8.dropFirst(self.prefix.utf8.count)
        // No key is longer than the name of a header may be.
        guard let equals = rest.prefix(512).firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return (
            TagValue.trimmed(Substring(rest[..<equals])),
            TagValue.trimmed(Substring(rest[rest.index(after: equals)...]))
        )
    }

    /// The tag that was meant by one that has the prefix in other letters, or a known key behind what is nearly the
    /// prefix, or behind the prefix with something else than its dot.
    private func misspelt(_ tag: String) -> String? {
        let bytes = tag.utf8
        let end: String.Index
        let word: String
        if let dot = bytes.prefix(self.prefix.utf8.count + 2).firstIndex(of: UInt8(ascii: ".")) {
            end = dot
            word = String(Substring(bytes[...dot])).lowercased()
            guard Spelling.nearest(to: word, among: [self.prefix]) != nil else { return nil }
        } else {
            let stem = self.prefix.utf8.dropLast()
            guard let index = bytes.index(bytes.startIndex, offsetBy: stem.count, limitedBy: bytes.endIndex),
                index < bytes.endIndex, "-_/:".utf8.contains(bytes[index])
            else { return nil }
            end = index
            word = String(Substring(bytes[..<index])).lowercased()
            guard word == String(Substring(stem)).lowercased() else { return nil }
        }
        let rest = String(Substring(bytes[bytes.index(after: end)...].prefix(300)))
        guard let (key, value) = self.split(self.prefix + rest) else { return nil }
        if case .unknown = self.key(key.lowercased()), word != self.prefix { return nil }
        return "\(self.prefix)\(key.lowercased())=\(value)"
    }

    /// What to do about a key that does not exist.
    private func guess(_ text: String) -> String {
        let isRoute = text.hasPrefix(Self.routePrefix)
        let name = text.dropFirst(Self.routePrefix.count).prefix { $0 != "." }
        if isRoute, !Self.isRouteName(name) || !text.dropFirst(Self.routePrefix.count).contains(".") {
            return "write \(self.prefix)route.<name>.<key>=<value>, the name in letters, digits, dashes and underscores"
        }
        let start = isRoute ? "\(Self.routePrefix)\(name)." : ""
        let routeKeys = RouteKey.allCases.map(\.rawValue)
        let keys = isRoute ? routeKeys : SettingKey.allCases.map(\.rawValue) + [Self.weightKey] + routeKeys
        let word = String(text.dropFirst(start.count).prefix(64))
        if let nearest = Spelling.nearest(to: word, among: keys) {
            return "did you mean \(self.prefix)\(start)\(nearest)=?"
        }
        if isRoute, SettingKey(rawValue: word) != nil || word == Self.weightKey {
            return "it is about the whole service: write \(self.prefix)\(word)="
        }
        return "the keys are \(keys.joined(separator: ", ")), header.<name>"
    }
}

extension SignalboxTags.Key {
    fileprivate var cost: TagFault.Cost {
        switch self {
        case .setting(let key): .setting(key.setting)
        case .route(let name, _), .header(let name, _), .unknown(let name): .route(name)
        case .weight: .nothing
        }
    }
}
