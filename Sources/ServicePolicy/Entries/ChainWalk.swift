// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// Follows requests from where they begin through splitters and resolvers to where they go in the end.
///
/// A split that leads nowhere costs its own part only: the others have its requests. If none is left, or the whole cannot be,
/// requests go as if the entry at fault were not there. Consul refuses to write such entries.
/// See https://github.com/hashicorp/consul/blob/v1.20.0/agent/consul/discoverychain/compile.go
struct ChainWalk {
    static let maximumShares = 200
    private static let maximumSplitters = 16
    /// Of one part, those of all splitters on the way. Envoy refuses a whole route configuration for more than 1,000, and a
    /// document may have 200.
    private static let maximumHeaderEdits = 400
    /// Splitters in each other could have any number of bad splits, and each is followed.
    private static let maximumFaults = 50

    let entries: ConfigEntries
    /// The one to prefer first. Empty: instances are in none.
    let datacenters: [String]
    /// Where requests that begin there went when they could last be followed.
    let previous: Chain?
    var chain = Chain()
    /// Each costs requests their way.
    private(set) var faults: [(fault: ChainFault, consequence: String)] = []
    /// What is found and costs no more than a reserve.
    var diagnostics: Set<Diagnostic> = []
    private var faultCount = 0

    init(entries: ConfigEntries, datacenters: [String], previous: Chain?) {
        self.entries = entries
        self.datacenters = datacenters
        self.previous = previous
    }

    /// To be called once.
    mutating func run(from start: ChainStart) {
        switch start {
        case .service(let service):
            do {
                let shares = try self.split(service, path: [])
                self.chain.shares = shares ?? [self.whole(service)]
            } catch {
                self.abandon(error)
                self.chain.shares = [self.whole(service)]
            }
        case .instances(let service): self.chain.shares = [self.whole(service)]
        case .subset(let subset, let service):
            do {
                self.chain.shares = [try self.resolve(ChainTarget(service: service, subset: subset))]
            } catch {
                self.abandon(error)
            }
        }
    }

    /// Nothing of what was found on the way is used.
    private mutating func abandon(_ fault: ChainFault) {
        self.chain = Chain()
        self.faults = (self.faults.map(\.fault) + [fault]).map { (fault: $0, consequence: ChainFault.asIfNotWritten) }
    }

    // MARK: - Splitters

    /// - Parameter path: the services whose splitters led here.
    private mutating func split(_ service: ServiceName, path: [ServiceName]) throws(ChainFault) -> [Share]? {
        guard let splitter = self.entries.splitters[service] else { return nil }
        let subject = ConfigEntry.Key(kind: "service-splitter", name: service.rawValue)
        if path.contains(service) || path.count >= Self.maximumSplitters {
            throw ChainFault(
                subject,
                splitter.origin,
                "the splitters lead in a circle: \((path + [service]).prefix(8).map(\.rawValue).joined(separator: ", "))"
            )
        }
        var legs: [(weight: Int, shares: [Share])] = []
        var lost: [ChainFault] = []
        var count = 0
        for split in splitter.splits {
            do {
                let shares = try self.shares(of: split, from: service, path: path + [service], splitter: splitter)
                legs.append((weight: split.weight, shares: shares))
                count += shares.count
            } catch {
                self.faultCount += 1
                guard self.faultCount < Self.maximumFaults else { throw error }
                lost.append(error)
            }
            guard count <= Self.maximumShares else {
                throw ChainFault(subject, splitter.origin, "it splits into over \(Self.maximumShares) parts")
            }
        }
        let sum = legs.reduce(0) { $0 + $1.weight }
        if sum == 0, let fault = lost.first { throw fault }
        self.faults += lost.map {
            (fault: $0, consequence: "the part that leads there goes to the other splits of \(subject)")
        }
        return legs.flatMap { weight, shares in
            shares.map { $0.weighted(Double(weight) / Double(sum)) }
        }
    }

    private mutating func shares(
        of split: ServiceSplitter.Split,
        from service: ServiceName,
        path: [ServiceName],
        splitter: ServiceSplitter
    ) throws(ChainFault) -> [Share] {
        let destination = split.destination.service ?? service
        let subject = ConfigEntry.Key(kind: "service-splitter", name: service.rawValue)
        var shares: [Share]?
        // A service that splits to itself means its instances.
        if split.destination.subset == nil, destination != service {
            shares = try self.split(destination, path: path)
        }
        if shares == nil {
            shares = [try self.resolve(ChainTarget(service: destination, subset: split.destination.subset))]
        }
        let edited = (shares ?? []).map { $0.edited(by: split, origin: splitter.origin) }
        guard edited.allSatisfy({ $0.headerEdits <= Self.maximumHeaderEdits }) else {
            throw ChainFault(
                subject,
                splitter.origin,
                "with the splitters that it leads to it edits over \(Self.maximumHeaderEdits) headers of a request or an answer"
            )
        }
        self.note(destination, subject, splitter.origin)
        return edited
    }

    // MARK: - Resolvers

    /// Without splitters, and without the resolver if it cannot be followed.
    private mutating func whole(_ service: ServiceName) -> Share {
        do {
            return try self.resolve(ChainTarget(service: service))
        } catch {
            self.faults.append((fault: error, consequence: ChainFault.asIfNotWritten))
            return Share(target: TargetID(service: service), fraction: 1)
        }
    }

    private mutating func resolve(_ start: ChainTarget) throws(ChainFault) -> Share {
        var (target, resolver) = try self.follow(start)
        guard let resolver else { return Share(target: TargetID(target, resolver), fraction: 1) }
        let id = self.addFailovers(of: &target, resolver)
        return Share(
            target: id,
            fraction: 1,
            timeout: resolver.requestTimeout,
            hashPolicies: resolver.hashPolicies,
            origin: resolver.origin
        )
    }

    /// Through redirects and default subsets to what has instances.
    mutating func follow(
        _ start: ChainTarget
    ) throws(ChainFault) -> (target: ChainTarget, resolver: ServiceResolver?) {
        var target = start
        var seen: Set<ChainTarget> = []
        while true {
            guard let resolver = self.entries.resolvers[target.service] else {
                guard let subset = target.subset else { return (target, nil) }
                throw ChainFault(
                    target.resolverKey,
                    self.originOfReference(to: target),
                    "there is no subset '\(subset)': service '\(target.service)' has no service-resolver in force"
                )
            }
            guard seen.insert(target).inserted else {
                throw ChainFault(target.resolverKey, resolver.origin, "the redirects lead in a circle")
            }
            if let redirect = resolver.redirect, case let redirected = target.rewritten(redirect), redirected != target
            {
                self.note(redirected.service, target.resolverKey, resolver.origin)
                self.check(redirected.datacenter, target.resolverKey, resolver.origin)
                target = redirected
            } else if target.subset == nil, let subset = resolver.defaultSubset {
                target.subset = subset
            } else if let subset = target.subset, resolver.subsets[subset] == nil {
                throw ChainFault(target.resolverKey, resolver.origin, "there is no subset '\(subset)'")
            } else {
                return (target, resolver)
            }
        }
    }

    /// An entry of the service's own, for want of the one that refers to it.
    private func originOfReference(to target: ChainTarget) -> Origin {
        self.entries.splitters[target.service]?.origin ?? self.entries.routers[target.service]?.origin
            ?? Origin(file: target.resolverKey.description)
    }

    // MARK: - Findings

    mutating func note(_ service: ServiceName, _ subject: ConfigEntry.Key, _ origin: Origin) {
        if self.chain.destinations[service] == nil {
            let destination = AppliedChains.Destination(service: service, entry: subject, origin: origin)
            self.chain.destinations[service] = destination
        }
    }

    /// Where there is one datacenter its name is not known, and may well be this.
    mutating func check(_ datacenter: String?, _ subject: ConfigEntry.Key, _ origin: Origin) {
        guard let datacenter, !self.datacenters.isEmpty, !self.datacenters.contains(datacenter) else { return }
        self.diagnostics.insert(
            Diagnostic(
                .warning,
                code: "SB339",
                subject: subject.description,
                message:
                    "datacenter '\(datacenter)' is none of those that are followed: nothing is known of its instances",
                cure: "add it to consul.datacenters, which Signalbox follows, or correct the name",
                origin: origin
            )
        )
    }
}

extension Share {
    fileprivate func edited(by split: ServiceSplitter.Split, origin: Origin) -> Share {
        var share = self
        share.requestHeaders = split.requestHeaders.merging(self.requestHeaders)
        share.responseHeaders = split.responseHeaders.merging(self.responseHeaders)
        share.origin = self.origin ?? origin
        return share
    }

    /// Of requests or of responses, as the limit is of each. Removals have none.
    fileprivate var headerEdits: Int {
        [self.requestHeaders, self.responseHeaders].map { $0.set.count + $0.add.count }.reduce(0, max)
    }
}
