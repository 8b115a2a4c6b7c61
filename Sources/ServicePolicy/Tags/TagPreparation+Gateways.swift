// SPDX-License-Identifier: Apache-2.0

import Catalog

extension TagPreparation {
    typealias Choice = (inForce: TagStanding.Route?, standing: TagStanding.Route?)

    /// What comes into force for each route. Hosts and methods are multiplied, and so is what is remembered of several
    /// versions: before anything is made of it, it is counted.
    mutating func chosen(
        of names: [String],
        _ said: [String: ServiceTags.Route],
        _ last: [String: TagStanding.Route]
    ) -> [(name: String, choice: Choice)] {
        let before = self.diagnostics
        let choices = names.map { (name: $0, choice: self.choose(said[$0], last[$0], named: $0)) }
        let count = choices.reduce(0) { sum, next in
            sum + max(next.choice.inForce?.said.size ?? 0, next.choice.standing?.said.size ?? 0)
        }
        guard count > ServiceTags.maximumSize else { return choices }
        self.diagnostics = before
        self.report(
            .tooMany,
            "hosts times methods of all routes are \(count), and may be \(ServiceTags.maximumSize); nothing new comes into "
                + "force, and what was last good stays",
            cure: "use fewer; what is larger belongs into a document"
        )
        // Also what is not said any more: its place was to be taken by what is too much.
        return Set(names).union(last.keys).sorted().map { ($0, self.choose(nil, last[$0], named: $0)) }
    }

    /// Decides what comes into force for a route, at which gateways, and what is remembered of it.
    ///
    /// Where the tags name no gateway and nobody can tell any more which one is meant, the route stays where it was: that
    /// somebody wrote another gateway is nothing that the service said.
    /// - Parameters:
    ///   - said: nil: nobody speaks of the route well.
    ///   - last: what was remembered of it.
    mutating func choose(
        _ said: ServiceTags.Route?,
        _ last: TagStanding.Route?,
        named name: String
    ) -> Choice {
        guard let wanted = said ?? last?.said else { return (nil, nil) }
        let asksForTheSame = last?.said.statement.gateways == wanted.statement.gateways
        let former = asksForTheSame ? last?.gateways ?? [] : []
        let gateways = TagGateways(wanted.statement, self.context, former: former)
        let chosen = TagStanding.Route(said: wanted, gateways: gateways.known)
        guard let problem = gateways.problem else { return (chosen, chosen) }

        let label = "\(routeLabel(name)): \(problem)"
        if let last, last.said != wanted, !gateways.areFormer {
            let lastGateways = TagGateways(last.said.statement, self.context, former: last.gateways).known
            if !lastGateways.isEmpty {
                let kept = TagStanding.Route(said: last.said, gateways: lastGateways)
                self.report(.unknownGateway, "\(label); its last good version stays in force", cure: gateways.cure)
                return (kept, kept)
            }
        }
        if gateways.known.isEmpty {
            self.report(.unknownGateway, "\(label); it is left out", cure: gateways.cure)
            return (nil, last)
        }
        let places = gateways.known.prefix(5).map(\.description).joined(separator: ", ")
        let consequence =
            gateways.areFormer
            ? "it stays at \(places), where it was, until Signalbox is restarted" : "it is served by its other gateways"
        self.report(.unknownGateway, "\(label); \(consequence)", cure: gateways.cure)
        return (chosen, gateways.areFormer ? chosen : last ?? chosen)
    }
}
