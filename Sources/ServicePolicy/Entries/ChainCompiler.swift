// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

/// A part of the requests to a service, and where it goes in the end.
struct Share {
    var target: TargetID
    /// Of all requests to the service.
    var fraction: Double
    var requestHeaders = HeaderModifier()
    var responseHeaders = HeaderModifier()
    var timeout: Duration?
    var hashPolicies: [HashPolicy] = []
    /// Of the entry that decided; nil if none did.
    var origin: Origin?
}

/// Follows a service's splitter and resolver to where its requests go: Consul's discovery chain.
///
/// Where Consul would refuse the chain, the service's requests go as if the entry at fault were not there.
/// See https://github.com/hashicorp/consul/blob/v1.20.0/agent/consul/discoverychain/compile.go
struct ChainCompiler {
    /// Of a service.
    static let maximumShares = 200
    private static let maximumSplitters = 16

    let entries: ConfigEntries
    /// The one that is preferred; nil if instances are in none.
    private let localDatacenter: String?
    private let datacenters: Set<String>
    private(set) var failovers: [TargetID: [TargetID]] = [:]
    /// A set: what is found again for another rule is one finding.
    var diagnostics: Set<Diagnostic> = []
    /// The services that entries name, and the entry that did first.
    private(set) var destinations: [ServiceName: AppliedChains.Destination] = [:]
    private var shares: [ServiceName: [Share]] = [:]

    init(entries: ConfigEntries, policy: Policy) {
        self.entries = entries
        self.localDatacenter = policy.datacenters.first
        self.datacenters = Set(policy.datacenters)
        self.failovers = policy.failovers
    }

    /// Of the requests that go to a service as a whole. Not empty.
    mutating func shares(of service: ServiceName) -> [Share] {
        if let shares = self.shares[service] { return shares }
        var shares: [Share]?
        do {
            shares = try self.split(service, path: [])
        } catch {
            self.report(error)
        }
        let result = shares ?? [self.whole(service)]
        self.shares[service] = result
        return result
    }

    /// Of the requests that an entry sends somewhere. Nil if there is no such place, which is reported.
    /// - Parameter service: what the entry is about.
    mutating func shares(of reference: ServiceReference, from service: ServiceName) -> [Share]? {
        let destination = reference.service ?? service
        guard let subset = reference.subset else { return self.shares(of: destination) }
        do {
            return [try self.resolve(ChainTarget(service: destination, subset: subset))]
        } catch {
            self.report(error)
            return nil
        }
    }

    // MARK: - Splitters

    /// - Parameter path: the services whose splitters led here.
    mutating func split(_ service: ServiceName, path: [ServiceName]) throws(ChainFault) -> [Share]? {
        guard let splitter = self.entries.splitters[service] else { return nil }
        let subject = ConfigEntry.Key(kind: "service-splitter", name: service.rawValue)
        if path.contains(service) || path.count >= Self.maximumSplitters {
            throw ChainFault(
                subject,
                splitter.origin,
                "the splitters lead in a circle: \((path + [service]).prefix(8).map(\.rawValue).joined(separator: ", "))"
            )
        }
        let sum = Double(splitter.splits.reduce(0) { $0 + $1.weight })
        var shares: [Share] = []
        for split in splitter.splits {
            let fraction = Double(split.weight) / sum
            for share in try self.shares(of: split, from: service, path: path + [service], splitter: splitter) {
                var share = share
                share.fraction *= fraction
                share.requestHeaders = split.requestHeaders.merging(share.requestHeaders)
                share.responseHeaders = split.responseHeaders.merging(share.responseHeaders)
                share.origin = share.origin ?? splitter.origin
                shares.append(share)
            }
            guard shares.count <= Self.maximumShares else {
                throw ChainFault(subject, splitter.origin, "it splits into over \(Self.maximumShares) parts")
            }
        }
        return shares
    }

    private mutating func shares(
        of split: ServiceSplitter.Split,
        from service: ServiceName,
        path: [ServiceName],
        splitter: ServiceSplitter
    ) throws(ChainFault) -> [Share] {
        let destination = split.destination.service ?? service
        self.note(destination, ConfigEntry.Key(kind: "service-splitter", name: service.rawValue), splitter.origin)
        // A service that splits to itself means its instances.
        if split.destination.subset == nil, destination != service, let shares = try self.split(destination, path: path)
        {
            return shares
        }
        return [try self.resolve(ChainTarget(service: destination, subset: split.destination.subset))]
    }

    // MARK: - Resolvers

    /// Without splitters, and without the resolver if it cannot be followed.
    private mutating func whole(_ service: ServiceName) -> Share {
        do {
            return try self.resolve(ChainTarget(service: service))
        } catch {
            self.report(error)
            return Share(target: TargetID(service: service), fraction: 1)
        }
    }

    private mutating func resolve(_ start: ChainTarget) throws(ChainFault) -> Share {
        var (target, resolver) = try self.follow(start)
        guard let resolver else { return Share(target: TargetID(target, resolver), fraction: 1) }
        let failovers = self.failovers(of: &target, resolver)
        let id = TargetID(target, resolver)
        if let before = self.failovers[id], !failovers.isEmpty, before != failovers {
            self.report(
                ChainFault(
                    target.resolverKey,
                    resolver.origin,
                    "two of its subsets have the same instances and not the same failover; the first counts"
                )
            )
        } else if !failovers.isEmpty {
            self.failovers[id] = failovers
        }
        return Share(
            target: id,
            fraction: 1,
            timeout: resolver.requestTimeout,
            hashPolicies: resolver.hashPolicies,
            origin: resolver.origin
        )
    }

    /// Through redirects and default subsets to what has instances.
    private mutating func follow(
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

    /// Who stands in for a target, in the order of preference.
    ///
    /// Who says which datacenters to use says that the own one comes first and alone.
    private mutating func failovers(of target: inout ChainTarget, _ resolver: ServiceResolver) -> [TargetID] {
        guard
            let references = target.subset.flatMap({ resolver.failover[$0] }) ?? resolver.failover["*"]
        else { return [] }
        if target.datacenter == nil, references.contains(where: { $0.datacenter != nil }) {
            target.datacenter = self.localDatacenter
        }
        var alternatives: [TargetID] = []
        for reference in references {
            let other = target.rewritten(reference)
            guard other != target else { continue }
            self.note(other.service, target.resolverKey, resolver.origin)
            self.check(other.datacenter, target.resolverKey, resolver.origin)
            do {
                let (followed, resolver) = try self.follow(other)
                alternatives.append(TargetID(followed, resolver))
            } catch {
                // Who cannot stand in costs nobody else.
                self.report(error)
            }
        }
        return alternatives
    }

    // MARK: - Findings

    mutating func report(_ fault: ChainFault) {
        self.diagnostics.insert(fault.diagnostic)
    }

    mutating func note(_ service: ServiceName, _ subject: ConfigEntry.Key, _ origin: Origin) {
        if self.destinations[service] == nil {
            self.destinations[service] = AppliedChains.Destination(service: service, entry: subject, origin: origin)
        }
    }

    private mutating func check(_ datacenter: String?, _ subject: ConfigEntry.Key, _ origin: Origin) {
        guard let datacenter, !self.datacenters.contains(datacenter) else { return }
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
