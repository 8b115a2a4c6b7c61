// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Decides where requests go, for each place that they begin at: as the entries say, or as they said when they could last
/// be followed.
struct ChainCompiler {
    /// Of one chain: whoever writes a hundred faults is told of some.
    private static let maximumReports = 20

    let entries: ConfigEntries
    private let datacenters: [String]
    private let previous: ChainStanding
    /// What to go back to: of the requests that there are, and no others.
    private(set) var standing = ChainStanding()
    private var chains: [ChainStart: Chain] = [:]
    /// Also of targets that no entry is about.
    private var failovers: [TargetID: [TargetID]]
    /// Of chains that cannot be followed now: what entries say now comes first.
    private var keptFailovers: [TargetID: [TargetID]] = [:]
    /// A set: what is found again for another rule is one finding.
    private(set) var diagnostics: Set<Diagnostic> = []
    /// The services that entries name, and the entry that did first.
    private(set) var destinations: [ServiceName: AppliedChains.Destination] = [:]

    init(entries: ConfigEntries, policy: Policy, previous: ChainStanding) {
        self.entries = entries
        self.datacenters = policy.datacenters
        self.failovers = policy.failovers
        self.previous = previous
    }

    /// Of the requests that go to a service as a whole. Not empty.
    mutating func shares(of service: ServiceName) -> [Share] {
        self.chain(from: .service(service)).shares
    }

    /// The same without its splitter.
    mutating func sharesOfInstances(of service: ServiceName) -> [Share] {
        self.chain(from: .instances(service)).shares
    }

    /// Of the requests that an entry sends somewhere. Nil if there is no such place, which is reported.
    /// - Parameter service: what the entry is about.
    mutating func shares(of reference: ServiceReference, from service: ServiceName) -> [Share]? {
        let destination = reference.service ?? service
        guard let subset = reference.subset else { return self.shares(of: destination) }
        let shares = self.chain(from: .subset(subset, of: destination)).shares
        return shares.isEmpty ? nil : shares
    }

    /// Also of targets that no entry is about.
    var allFailovers: [TargetID: [TargetID]] {
        self.failovers.merging(self.keptFailovers) { first, _ in first }
    }

    mutating func note(_ service: ServiceName, _ subject: ConfigEntry.Key, _ origin: Origin) {
        if self.destinations[service] == nil {
            self.destinations[service] = AppliedChains.Destination(service: service, entry: subject, origin: origin)
        }
    }

    private mutating func chain(from start: ChainStart) -> Chain {
        if let chain = self.chains[start] { return chain }
        let previous = self.previous.chains[start]
        var walk = ChainWalk(entries: self.entries, datacenters: self.datacenters, previous: previous)
        walk.run(from: start)
        let kept = walk.faults.isEmpty ? nil : previous
        self.diagnostics.formUnion(walk.diagnostics)
        for (fault, consequence) in walk.faults.prefix(Self.maximumReports) {
            self.diagnostics.insert(fault.diagnostic(kept == nil ? consequence : start.asKept))
        }
        let chain = kept ?? walk.chain
        self.add(chain.failovers.merging(chain.partialFailovers) { first, _ in first }, isKept: kept != nil)
        if kept != nil || walk.faults.isEmpty { self.standing.chains[start] = chain }
        self.destinations.merge(chain.destinations) { first, _ in first }
        self.chains[start] = chain
        return chain
    }

    private mutating func add(_ failovers: [TargetID: [TargetID]], isKept: Bool) {
        guard !isKept else {
            self.keptFailovers.merge(failovers) { first, _ in first }
            return
        }
        for (id, alternatives) in failovers {
            let before = self.failovers[id] ?? alternatives
            self.failovers[id] = before
            if before != alternatives {
                self.diagnostics.insert(.twoFailovers(of: id, self.entries.resolvers[id.service]))
            }
        }
    }
}

extension ChainStart {
    /// What a fault comes to where there is something to go back to.
    fileprivate var asKept: String {
        let requests =
            switch self {
            case .service(let service), .instances(let service): "requests to service '\(service)'"
            case .subset(let subset, let service): "requests to subset '\(subset)' of service '\(service)'"
            }
        return "\(requests) go where they went when the entries could last be followed"
    }
}
