// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What is kept because the token may not read it any more, so that nobody knows whether it is gone.
extension ConsulDatacenter {
    /// Services of which all, or some, is kept for that.
    var hidden: Set<String> { self.missing.refused.union(self.services.hidden.keys) }

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

    /// A reading lacks instances that the token may not read any more: they stay.
    mutating func hides(_ instances: Set<InstanceID>, of name: String, _ effects: inout ConsulEffects) {
        if self.services.hide(instances, of: name) { self.isChanged(name) }
        let times = self.services.readingFailed(name)
        self.services.rest(name, until: effects.now + effects.backOff(after: times, to: .seconds(10)))
        self.problems[.service(name)] = ConsulFailure(
            reason: .acl,
            message: "the token may not read all instances any more, and what was known stays; "
                + "grant it node:read on all nodes, \(ConsulHealth.acceptance)"
        )
    }

    /// The operator says that what he was told of this is gone.
    mutating func accept(_ told: Set<String>) {
        for name in self.missing.accept(told) { self.isGone(name) }
        for name in self.services.acceptHidden(told) {
            self.problems[.service(name)] = nil
            self.services.isDirty(name, needed: nil)
            self.isChanged(name)
        }
    }
}
