// SPDX-License-Identifier: Apache-2.0

import HashiCorpAPI

/// Reads services one by one, once a list has named them.
extension NomadScope {
    /// A list of names is complete. Is what it does not name gone, or hidden?
    mutating func verify(
        _ lists: [NomadServiceList],
        index: UInt64,
        isSinceOpen: Bool,
        _ context: inout NomadContext
    ) {
        var names: Set<NomadServiceKey> = []
        for list in lists where self.namespace == NomadConfiguration.allNamespaces || list.namespace == self.namespace {
            for service in list.services {
                names.insert(NomadServiceKey(namespace: list.namespace, name: service.name))
            }
        }
        var verification = NomadNames.Verification(
            names: names,
            index: index,
            open: [:],
            isSinceOpen: isSinceOpen
        )
        if self.namespace == NomadConfiguration.allNamespaces {
            for namespace in context.services.namespaces.subtracting(names.map(\.namespace)) {
                let purpose = NomadEffects.Purpose.visibility(scope: self.number, namespace: namespace)
                let request = context.effects.send(.visibility(namespace: namespace), for: purpose)
                verification.open[namespace] = request
            }
        }
        self.names.verification = verification
        self.finishVerification(&context)
    }

    mutating func visibilityAnswered(
        _ namespace: String,
        _ result: Result<NomadAnswer, NomadFailure>,
        _ context: inout NomadContext
    ) {
        self.names.verification?.open[namespace] = nil
        if case .failure(let failure) = result {
            self.names.verification?.kept[namespace] = failure
            // Whether it is hidden or nobody can say: it is looked at again.
            self.listings[.services]?.want(
                notBefore: context.effects.now + (failure.isRefusal ? .seconds(3) : .seconds(1))
            )
        }
        self.finishVerification(&context)
    }

    private mutating func finishVerification(_ context: inout NomadContext) {
        guard let verification = self.names.verification, verification.open.isEmpty else { return }
        self.names.verification = nil
        context.services.remove(
            butFor: verification.names,
            in: self.namespace,
            except: Set(verification.kept.keys),
            asOf: verification.index
        )
        let new = verification.names.filter { !context.services.has($0) }
        if self.namespace == NomadConfiguration.allNamespaces {
            // One that was refused is so until Nomad says something else.
            let before = context.services.hiddenNamespaces
            let hidden = verification.kept.filter { $0.value.isForbidden || before.contains($0.key) }
            context.services.hide(Set(hidden.keys))
        }
        self.names.listed(
            verification.names,
            new: new,
            unseen: verification.kept,
            asOf: verification.index,
            isSinceOpen: verification.isSinceOpen
        )
    }

    mutating func serviceAnswered(_ key: NomadServiceKey, _ answer: NomadAnswer, _ context: inout NomadContext) {
        if !answer.unreadable.isEmpty {
            context.effects.note(
                .unreadable(count: answer.unreadable.count, first: answer.unreadable.reasons.first ?? "")
            )
        }
        let trouble = answer.unreadable.reasons.first.map {
            NomadFailure(reason: "decoding", text: "registrations cannot be read: \($0)")
        }
        guard self.names.answered(key, trouble), case .registrations(let rows) = answer.content else { return }
        let floor = self.listings[.services]?.appliedIndex ?? 0
        let isWhole = answer.unreadable.isEmpty
        context.services.apply(rows, of: key, isWhole: isWhole, index: answer.index ?? 0, floor: floor)
    }

    mutating func serviceFailed(_ key: NomadServiceKey, _ failure: NomadFailure, _ context: inout NomadContext) {
        let isHopeless = [.tooLarge, .malformed, .invalid].contains(failure.error?.kind)
        self.names.failed(key, failure, isHopeless: isHopeless, &context.effects)
        // A list tells whether its namespace is hidden now.
        if failure.isRefusal { self.listings[.services]?.want(notBefore: context.effects.now + .seconds(3)) }
    }
}
