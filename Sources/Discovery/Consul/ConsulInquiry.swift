// SPDX-License-Identifier: Apache-2.0

import Catalog
import HashiCorpAPI

/// Asks the agent what it is. Only who wants a namespace or a partition waits for the answer: a server that has none
/// would refuse to be asked for one.
struct ConsulInquiry: Sendable {
    private enum State: Sendable {
        case wanted(at: Duration, failures: Int)
        case asked(failures: Int)
        /// Nil: it does not tell.
        case known(ConsulAgent?)
    }

    /// What to ask for, where there are namespaces and partitions.
    private let scope: ConsulScope
    private var state = State.wanted(at: .zero, failures: 0)
    /// What is wanted and cannot be had.
    private(set) var problem: Diagnostic?

    init(_ configuration: ConsulConfiguration) {
        self.scope = ConsulScope(namespace: configuration.namespace, partition: configuration.partition)
    }

    /// Whether something can be asked of the catalog.
    var isScopeKnown: Bool {
        if self.scope == ConsulScope() { return true }
        if case .known = self.state { return true }
        return false
    }

    /// Nil: it keeps nothing from being asked.
    var status: SourceStatus? {
        guard case .wanted(_, let failures) = self.state, failures > 0, !self.isScopeKnown else { return nil }
        return SourceStatus(
            source: .consul,
            state: .down,
            problem: "Consul does not say what it is, which namespaces need; see that it can be reached",
            reason: "unreachable"
        )
    }

    /// When to call `ask`.
    var due: Duration? {
        if case .wanted(let at, _) = self.state { at } else { nil }
    }

    mutating func ask(_ effects: inout ConsulEffects) {
        guard case .wanted(let at, let failures) = self.state, at <= effects.now else { return }
        effects.owner = .agent
        _ = effects.send(ConsulQuery(.agent))
        self.state = .asked(failures: failures)
    }

    mutating func answered(_ agent: ConsulAgent?, _ effects: inout ConsulEffects) {
        self.state = .known(agent)
        guard self.scope != ConsulScope() else { return }
        if agent?.isEnterprise == true {
            effects.scope = self.scope
        } else {
            self.problem = ConsulHealth.noNamespaces(agent)
        }
    }

    /// The agent was away, and may be another one. What namespaces there are does not change.
    mutating func renew(at now: Duration) {
        guard case .known = self.state, self.scope == ConsulScope() else { return }
        self.state = .wanted(at: now, failures: 0)
    }

    mutating func failed(_ failure: ConsulFailure, _ effects: inout ConsulEffects) {
        guard case .asked(let failures) = self.state else { return }
        switch failure.reason {
        case .acl where failure.fault == .rights, .status where failure.isOfSubject:
            // It is there, and does not tell: a token need not have agent:read.
            self.answered(nil, &effects)
        default:
            // To follow another namespace than that which is wanted would be to lose all that is in it.
            let pause = effects.backOff(after: failures + 1, to: ConsulLink.interval)
            self.state = .wanted(at: effects.now + pause, failures: failures + 1)
        }
    }
}
