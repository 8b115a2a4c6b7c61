// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What is kept because the token may not read it any more, so that nobody knows whether it is gone.
extension ConsulDatacenter {
    /// Services of which all, or some, is kept for that.
    var hidden: Set<String> { self.missing.refused.union(self.unseen.hidden.keys) }

    /// Returns whether the request was about a service that is missing.
    mutating func missingFailed(
        _ request: ConsulRequestID,
        _ failure: ConsulFailure,
        _ effects: inout ConsulEffects
    ) -> Bool {
        guard let finding = self.missing.failed(request, failure, &effects) else { return false }
        self.found(finding)
        return true
    }

    mutating func missingAnswered(_ request: ConsulRequestID, isThere: Bool, _ effects: inout ConsulEffects) {
        self.found(self.missing.answered(request, isThere: isThere, &effects))
    }

    private mutating func found(_ finding: ConsulMissing.Finding) {
        self.troubles.changed()
        switch finding {
        case .nothing: break
        case .refused(let name), .granted(let name): self.isChanged(name)
        case .gone(let name): self.isGone(name)
        }
    }

    /// Returns whether the request was about a node of which instances are missing.
    mutating func unseenAnswered(_ request: ConsulRequestID, isThere: Bool, _ effects: inout ConsulEffects) -> Bool {
        guard let finding = self.unseen.answered(request, isThere: isThere, &effects) else { return false }
        self.found(finding)
        return true
    }

    /// The same.
    mutating func unseenFailed(
        _ request: ConsulRequestID,
        _ failure: ConsulFailure,
        _ effects: inout ConsulEffects
    ) -> Bool {
        guard let finding = self.unseen.failed(request, failure, &effects) else { return false }
        self.found(finding)
        return true
    }

    private mutating func found(_ finding: ConsulUnseen.Finding) {
        switch finding {
        case .nothing: break
        case .refused(let names):
            for name in names {
                self.isPartlyHidden(name)
                self.isChanged(name)
            }
        case .granted(let names):
            for name in names { self.services.isDirty(name, needed: nil) }
        }
    }

    /// A reading that says that it lacks something shows nothing: what is known stays, all of it.
    mutating func hidesAll(_ instances: [Instance], of name: String, _ effects: inout ConsulEffects) {
        if self.unseen.lacksAll(instances, of: name) { self.isChanged(name) }
        let times = self.services.readingFailed(name)
        self.services.rest(name, until: effects.now + effects.backOff(after: times, to: self.pauseOfHidden))
        self.noteHidden(name)
    }

    /// With thousands no more than ten a second are tried: when a node may be read again, all are.
    private var pauseOfHidden: Duration {
        max(.seconds(10), .milliseconds(100) * self.unseen.hidden.count)
    }

    /// The token may not read some of its instances: they stay.
    mutating func isPartlyHidden(_ name: String) {
        self.services.isPartlyHidden(name)
        self.noteHidden(name)
    }

    private mutating func noteHidden(_ name: String) {
        self.problems[.service(name)] = ConsulFailure(
            reason: .acl,
            message: "the token may not read all instances any more, and what was known stays; "
                + "grant it node:read on all nodes, \(ConsulHealth.acceptance)"
        )
    }

    /// The operator says that what he was told of this is gone.
    mutating func accept(_ told: [ServiceName: Unheard.Share]) {
        let whole = told.filter { $0.value == .all || $0.value.datacenters.contains(self.name ?? "") }
        for name in self.missing.accept(Set(whole.keys.map(\.rawValue))) { self.isGone(name) }
        for (service, share) in told {
            let name = service.rawValue
            let place = self.services[name]?.instances.first?.datacenter ?? ""
            let accepted = self.unseen.accept(name) { instance in
                share.instances.contains(instance) || share.instances.contains(InstanceID("\(place)/\(instance)"))
            }
            guard !accepted.isEmpty else { continue }
            self.services.letGo(accepted, of: name)
            self.problems[.service(name)] = nil
            self.services.isDirty(name, needed: nil)
            self.isChanged(name)
        }
    }
}
