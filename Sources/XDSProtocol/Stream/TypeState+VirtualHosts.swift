// SPDX-License-Identifier: Apache-2.0

import HashTreeCollections

/// Virtual hosts on demand (rule 9): a proxy asks for `<route configuration>/<host>` when a request for the host comes in,
/// and waits for the answer. What it is given may have another name (a wildcard), and "there is none" is an answer.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/http/http_conn_man/vhds
extension TypeState {
    /// Of an answer that finishes the listener's waiting and says nothing: Envoy takes an empty response for no answer.
    static let placeholder = ResourceName("signalbox/no-virtual-host")

    /// How many names that lead nowhere are remembered, in case they appear: whoever sends requests decides them.
    static let unknownNamesKept = 10_000

    mutating func takeOwedVirtualHosts(_ resources: Snapshot.Resources, into next: inout Next) {
        if self.owesPlaceholder {
            self.owesPlaceholder = false
            if self.owed.isEmpty { next.unknown.append(Self.placeholder) }
        }
        // Who asks comes first: what is given to several of them is given once.
        let names = Array(self.owed.subtracting(self.debts)) + self.debts
        var wildcards: Set<ResourceName> = []
        for name in names where self.subscription.contains(name) {
            self.waiting[name] = nil
            if let host = VirtualHostName.withoutPort(name) { self.ported[host, default: []].insert(name) }
            guard let resource = Self.resolve(name, in: resources) else {
                let isHeld = self.held[name] != nil
                if isHeld { self.doomed.insert(name) }
                // Of what it holds it is told that it is gone.
                if isHeld, self.debts.contains(name) { continue }
                next.unknown.append(name)
                self.forgetIfTooMany(name, in: resources)
                continue
            }
            // What it holds under that name would come before what serves the host now.
            if resources[name] == nil, self.held[name] != nil { self.doomed.insert(name) }
            if !self.suspects.isEmpty { self.suspects.acquit(resource.name, unless: resource.version) }
            if next.aliases[resource.name] == nil {
                guard let answer = self.answer(name, with: resource) else {
                    self.waiting[name] = resource.name
                    continue
                }
                next.upserts.append(answer)
                // Envoy refuses a response that has a resource twice.
                self.dirty.remove(resource.name)
            }
            next.aliases[resource.name, default: []].append(name)
            if self.subscription.imply(resource.name) {
                self.held.introduce(resource.name)
                if VirtualHostName(resource.name)?.isWildcard == true { wildcards.insert(resource.name) }
            }
        }
        self.implyWhatIsMoreSpecific(than: wildcards, in: resources)
        for (name, aliases) in next.aliases { next.aliases[name] = aliases.sorted() }
    }

    /// Whoever waits for one of these is told that it is what they asked for.
    mutating func tellWaiting(in next: inout Next, _ resources: Snapshot.Resources) {
        if self.waiting.isEmpty || next.upserts.isEmpty { return }
        let sent = Set(next.upserts.map(\.name))
        let told = self.waiting.filter { sent.contains($0.value) || sent.contains($0.key) }
        for (name, resource) in told.sorted(by: { $0.key < $1.key }) {
            self.waiting[name] = nil
            // Not what has a virtual host of its own by now.
            guard self.subscription.contains(name), Self.resolve(name, in: resources)?.name == resource else {
                continue
            }
            next.aliases[resource, default: []].append(name)
        }
    }

    private static func resolve(_ name: ResourceName, in resources: Snapshot.Resources) -> Resource? {
        if let resource = resources[name] { return resource }
        guard !resources.isEmpty, let candidates = VirtualHostName(name)?.candidates else { return nil }
        return candidates.lazy.compactMap { resources[$0] }.first
    }

    /// It is told once more when it is asked for again, which Envoy does on its next stream.
    private mutating func forgetIfTooMany(_ name: ResourceName, in resources: Snapshot.Resources) {
        guard self.subscription.names.count > resources.count + Self.unknownNamesKept else { return }
        self.subscription.drop(name)
        self.forgetPort(of: name)
        self.namesDropped += 1
    }

    mutating func forgetPort(of name: ResourceName) {
        guard !self.ported.isEmpty, let host = VirtualHostName.withoutPort(name) else { return }
        self.ported[host]?.remove(name)
        if self.ported[host]?.isEmpty == true { self.ported[host] = nil }
    }

    /// Virtual hosts came or went: names that lead elsewhere now are answered anew. All names are looked at only for a
    /// wildcard.
    mutating func resolveAnew(_ changed: [ResourceName], in resources: Snapshot.Resources) {
        var wildcards: Set<ResourceName> = []
        for name in changed {
            guard let host = VirtualHostName(name) else { continue }
            let isThere = resources[name] != nil
            // Nothing is remembered of one that nobody was told of.
            let isHeld = self.subscription.names.contains(name) && self.held[name] != nil
            if isThere != isHeld, host.isWildcard {
                wildcards.insert(name)
            } else if isThere != isHeld {
                // What serves it from now on is said, too.
                if isHeld { self.promise(name) }
                for asked in self.ported[name] ?? [] where resources[asked] == nil { self.promise(asked) }
            }
            if isThere, host.isHidden(behind: self.subscription.names) { self.volunteer(name) }
        }
        guard !wildcards.isEmpty else { return }
        for name in self.subscription.names where resources[name] == nil {
            if VirtualHostName(name)?.candidates.contains(where: wildcards.contains) == true { self.promise(name) }
        }
    }

    /// A proxy that holds a wildcard does not ask for what is more specific.
    private mutating func implyWhatIsMoreSpecific(than wildcards: Set<ResourceName>, in resources: Snapshot.Resources) {
        guard !wildcards.isEmpty else { return }
        for name in resources.keys where VirtualHostName(name)?.isHidden(behind: wildcards) == true {
            self.volunteer(name)
        }
    }

    private mutating func volunteer(_ name: ResourceName) {
        guard self.subscription.imply(name) else { return }
        self.held.introduce(name)
        self.dirty.insert(name)
    }

    /// A proxy came back with what it holds: what came and went meanwhile leads names elsewhere.
    mutating func cameBack(in resources: Snapshot.Resources) {
        let held = self.subscription.names.filter { self.held[$0] != nil }
        self.resolveAnew(Array(held), in: resources)
        self.implyWhatIsMoreSpecific(than: held.filter { VirtualHostName($0)?.isWildcard == true }, in: resources)
    }

    /// A proxy forgets the virtual hosts of a route configuration that it is given anew.
    mutating func resend(of routeConfigurations: some Sequence<ResourceName>) {
        let routeConfigurations = Set(routeConfigurations)
        for name in self.subscription.names {
            guard let host = VirtualHostName(name) else { continue }
            if routeConfigurations.contains(ResourceName(String(host.routeConfiguration.dropLast()))) {
                self.promise(name)
            }
        }
    }
}
