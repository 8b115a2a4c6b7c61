// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// A language in which tags speak of routes. Pure; its work is bounded by the length of the tags.
///
/// What one instance says is all that a dialect sees. How the instances of a service that do not agree are combined,
/// who may claim which host, what stays in force and who wins a conflict is the same for all dialects:
/// `TagElection`, `TagPreparation`, `mergeTags`.
package protocol TagDialect: Sendable {
    /// Whether a tag is in this language, well or badly. All others are none of its business.
    func isRelevant(_ tag: String) -> Bool

    /// What a tag says of the weight of its instance; nil if it is not about that. Such tags are not given to `read`:
    /// they differ from instance to instance by nature.
    func weight(_ tag: String) -> TagWeight?

    /// What the tags of one instance say.
    /// - Parameter tags: the relevant ones, in their order.
    func read(_ tags: [String], of service: ServiceName) -> TagStatements
}

/// A tag about the weight of its instance.
package enum TagWeight: Hashable, Sendable {
    case weight(Weight)
    /// As `weight`, in a language where an instance that says nothing weighs something else than 1.
    case relative(Weight, others: Weight)
    case bad(TagFault)
}

/// What the tags of one instance say.
package struct TagStatements: Hashable, Sendable {
    /// By their names within the service. The one without a name has the empty one.
    package var routes: [String: RouteStatement] = [:]
    /// Spoken of, but not well.
    package var badRoutes: Set<String> = []
    /// The tags are beyond all bounds: nothing of them is believed.
    package var isRefused = false
    package var settings = TagSettings()
    package var badSettings: Set<TagSetting> = []
    package var faults: [TagFault] = []

    package init() {}
}

/// What is wrong with a tag or with several, and what it costs: see `Diagnostic`.
package struct TagFault: Hashable, Sendable {
    package enum Cost: Hashable, Sendable {
        /// The route of this name.
        case route(String)
        case setting(TagSetting)
        case nothing
    }

    package var code: TagCode
    package var message: String
    package var cure: String
    package var cost: Cost

    package init(_ code: TagCode, cost: Cost, _ message: String, cure: String) {
        self.code = code
        self.cost = cost
        self.message = message
        self.cure = cure
    }
}

/// The rules that tags can break. Each has a section in `docs/diagnostics.md`.
package enum TagCode: String, CaseIterable, Sendable {
    case unknownTag = "SB321"
    case badValue = "SB322"
    case instancesDisagree = "SB323"
    case unknownGateway = "SB324"
    case conflict = "SB325"
    case hostNotPermitted = "SB326"
    case badCombination = "SB327"
    case tooMany = "SB328"
    case decidedElsewhere = "SB329"
}

extension TagStatements {
    static func refused(_ message: String) -> TagStatements {
        var statements = TagStatements()
        statements.isRefused = true
        statements.faults = [
            TagFault(.tooMany, cost: .nothing, message, cure: "use fewer; what is larger belongs into a document")
        ]
        return statements
    }
}
