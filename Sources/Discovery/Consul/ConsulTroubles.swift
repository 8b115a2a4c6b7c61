// SPDX-License-Identifier: Apache-2.0

import Catalog

/// What it comes to that services of a datacenter cannot be read, as of the last look at all of them.
///
/// A look goes through them all, and each of thousands is answered again and again. So looks have a pause that rises with
/// what one costs; while there are few services that cannot be read, every answer is followed by one.
struct ConsulTroubles: Sendable {
    /// To the next look, for each service that this one was about.
    private static let pauseOfService = Duration.microseconds(20)

    /// Nil: there are none that count.
    private(set) var status: SourceStatus?
    /// Whether it is known of a service that was never read why.
    private(set) var isAnyFailureKnown = false
    /// Whether that is known of each. Those that are listed no more are asked about elsewhere.
    private(set) var wasAllTried = true
    private(set) var isFilterRefused = false
    private(set) var obstacle: ConsulGate.Obstacle?
    private var isChanged = false
    private var notBefore = Duration.zero

    /// When the next look is due; nil: the last one saw all that there is.
    var due: Duration? { self.isChanged ? self.notBefore : nil }

    /// What one of them is answered, or which there are, may be another than at the last look.
    mutating func changed() { self.isChanged = true }

    fileprivate mutating func look(at datacenter: ConsulDatacenter, now: Duration) {
        self.isChanged = false
        let count = datacenter.problems.count + datacenter.services.unread.count + datacenter.missing.refused.count
        self.notBefore = now + Self.pauseOfService * count
        self.status = Self.status(of: datacenter)
        self.lookAtUnread(of: datacenter)
    }

    private mutating func lookAtUnread(of datacenter: ConsulDatacenter) {
        let unread = datacenter.services.unread
        (self.isAnyFailureKnown, self.wasAllTried, self.isFilterRefused, self.obstacle) = (false, true, false, nil)
        for name in unread {
            guard let failure = datacenter.problems[.service(name)] else {
                if !datacenter.missing.contains(name) { self.wasAllTried = false }
                continue
            }
            self.isAnyFailureKnown = true
            if failure.fault == .filter { self.isFilterRefused = true }
            if !failure.isOfSubject { self.obstacle = .agent }
        }
        if self.obstacle == nil, unread.count > datacenter.services.byName.count - unread.count {
            self.obstacle = .most
        }
    }

    private static func status(of datacenter: ConsulDatacenter) -> SourceStatus? {
        let refused = datacenter.missing.refused
        var troubled: [String: ConsulFailure] = [:]
        for (subject, failure) in datacenter.problems {
            guard case .service(let name) = subject, let service = datacenter.services[name] else { continue }
            if service.failures >= ConsulHealth.failures { troubled[name] = failure }
        }
        let all = datacenter.services.byName.count + datacenter.expected.count
        let unread = refused.union(troubled.keys).count
        func suspect(_ reason: String, _ problem: String, _ fault: SourceStatus.Fault?) -> SourceStatus {
            SourceStatus(
                source: .consul,
                state: .suspect,
                problem: problem,
                reason: reason,
                fault: fault,
                isPartial: unread < all
            )
        }
        if !refused.isEmpty {
            let first = [String].first(of: refused)
            return suspect(
                "acl",
                "the token may not read \(first.named("service", of: refused.count)) any more, and what was known stays; "
                    + "grant it service:read there, \(ConsulHealth.acceptance)",
                .rights
            )
        }
        // A token without rights may hide more than these.
        let ofRights = troubled.lazy.filter { $0.value.reason == .acl }.map(\.key).min()
        guard let name = ofRights ?? troubled.keys.min(), let failure = troubled[name] else { return nil }
        let alike = troubled.lazy.filter { $0.value == failure }.map(\.key)
        let (first, count) = ([String].first(of: alike), alike.count)
        let more = troubled.count > count ? " (and \(troubled.count - count) more services)" : ""
        return suspect(
            failure.reason == .acl ? failure.reason.rawValue : "partial",
            "\(first.named("service", of: count)): \(failure.message)\(more)",
            failure.fault
        )
    }
}

extension ConsulDatacenter {
    mutating func lookAtTroubles(at now: Duration) {
        guard let due = self.troubles.due, due <= now else { return }
        var troubles = self.troubles
        troubles.look(at: self, now: now)
        self.troubles = troubles
    }
}
