// SPDX-License-Identifier: Apache-2.0

import Routing

// What becomes of a rule's match, action and header edits where a service's router and its shares say more.

extension Match {
    /// One for each method. Empty if no request can match both.
    func narrowed(to part: PathConjunction, _ route: ServiceRouter.Route) -> [Match] {
        var narrowed = self
        narrowed.path = part.path
        narrowed.headers += route.headers.filter { !self.headers.contains($0) }
        narrowed.queryParameters += route.queryParameters.filter { !self.queryParameters.contains($0) }
        guard !route.methods.isEmpty else { return [narrowed] }
        return route.methods.filter { self.method == nil || self.method == $0 }.map { method in
            var match = narrowed
            match.method = method
            return match
        }
    }
}

extension Route.Forward {
    /// What the rule says comes before what the router's route says.
    func refined(
        by route: ServiceRouter.Route,
        to shares: [Share],
        path: PathRewrite?,
        backend: Route.Backend
    ) -> Route.Forward {
        let rewrite = Rewrite(hostname: self.rewrite?.hostname, path: path)
        return Route.Forward(
            backends: Backends.combined([(backend, shares)]),
            rewrite: rewrite == Rewrite() ? nil : rewrite,
            timeout: self.timeout ?? route.timeout ?? shares.timeout,
            idleTimeout: self.idleTimeout ?? route.idleTimeout,
            retry: self.retry ?? route.retry,
            hashPolicies: self.hashPolicies.isEmpty ? shares.hashPolicies : self.hashPolicies
        )
    }
}

extension Collection<Share> {
    /// A route has one for all that it leads to: the longest. Whoever says none has the proxy's own, which may be that.
    var timeout: Duration? {
        let asked = self.asked
        guard let longest = asked.compactMap(\.timeout).max() else { return nil }
        let isSaidByAll = asked.allSatisfy { $0.timeout != nil }
        return isSaidByAll || longest > Route.Forward.proxyTimeout ? longest : nil
    }

    /// A route has one list for all that it leads to: of the first that has some.
    var hashPolicies: [HashPolicy] { self.asked.lazy.map(\.hashPolicies).first { !$0.isEmpty } ?? [] }

    /// Those that get requests: who waits for a first weight has no say in what becomes of the others'. All, if none does.
    private var asked: [Share] {
        let asked = self.filter { $0.fraction > 0 }
        return asked.isEmpty ? Array(self) : asked
    }
}

extension HeaderModifier {
    /// As if the other edited first and this one what came of it: the last word is this one's. So it is with a rule and a
    /// splitter, of which Envoy evaluates the splitter's first. In one modifier Envoy removes first, then sets, then adds, so
    /// what the other puts where this one sets or removes has to go. What the other removes may stay: what this one adds
    /// comes after it, and what a client sent does not come back. Names are in lower case.
    func merging(_ other: HeaderModifier) -> HeaderModifier {
        let own = Set(self.set.map(\.name)).union(self.remove)
        var merged = self
        merged.set += other.set.filter { !own.contains($0.name) }
        merged.add = other.add.filter { !own.contains($0.name) } + merged.add
        merged.remove += other.remove.filter { !own.contains($0) }
        return merged
    }
}
