// SPDX-License-Identifier: Apache-2.0

/// Finds out which resources of a refused response are to blame. A NACK covers a whole response, and the proxy's words
/// name the culprit only sometimes; nobody else's resources may wait for it.
///
/// - One changed resource in the response: it is convicted.
/// - Several, and the message names some of them: those are accused, and the others are sent without them. If that is
///   acknowledged and one was accused, it is convicted without being sent again.
/// - Otherwise they are tried by halves, in responses with nothing else new in them: a half that is accepted is free, one
///   that is refused is halved again (or parted from those that the message names), until single ones are convicted.
///
/// A search that takes too many trials is given up: who is left stays away untried until the type changes.
///
/// A conviction, an accusation and a trial are of a version: new content is innocent.
struct Suspects: Sendable {
    struct Conviction: Sendable, Equatable {
        var version: ResourceVersion
        var message: String
        /// Whether the client had a version before, with which it works on.
        var hasPredecessor: Bool
    }

    private(set) var convicted: [ResourceName: Conviction] = [:]
    private var accused: [ResourceName: Conviction] = [:]
    /// Those in `groups`, and those whose trial is on its way.
    private var awaitingTrial: [ResourceName: Conviction] = [:]
    /// Who is to be tried together, the next ones last. May have names that are not suspect any more.
    private var groups: [[ResourceName]] = []
    /// Those that a search was given up of.
    private(set) var untried: [ResourceName: Conviction] = [:]
    private var trials = 0
    /// Of trials, since the type changed; nil: nothing was refused since.
    private var limit: Int?

    var isEmpty: Bool {
        self.convicted.isEmpty && self.accused.isEmpty && self.awaitingTrial.isEmpty && self.untried.isEmpty
    }
    var names: Set<ResourceName> {
        Set(self.convicted.keys).union(self.accused.keys).union(self.awaitingTrial.keys).union(self.untried.keys)
    }
    /// Whether the client may work with an older version of one of them than ours.
    var mayHavePredecessors: Bool {
        !self.accused.isEmpty || !self.awaitingTrial.isEmpty || self.convicted.values.contains(where: \.hasPredecessor)
            || self.untried.values.contains(where: \.hasPredecessor)
    }
    var haveTrials: Bool { !self.awaitingTrial.isEmpty }

    /// Whether `resource` is not to be sent together with others, or at all.
    func excludes(_ resource: Resource) -> Bool {
        self.convicted[resource.name]?.version == resource.version
            || self.accused[resource.name]?.version == resource.version
            || self.awaitingTrial[resource.name]?.version == resource.version
            || self.untried[resource.name]?.version == resource.version
    }

    /// Whether other content than this one's is suspect under its name.
    func suspectOther(than resource: Resource) -> Bool {
        let name = resource.name
        return !self.isEmpty && !self.excludes(resource)
            && [self.convicted, self.accused, self.awaitingTrial, self.untried].contains { $0[name] != nil }
    }

    // MARK: Trials

    /// With one culprit among n, 2 log n trials find it; with several, 64 more free most of the others.
    private static func limit(of suspects: Int) -> Int {
        64 + 2 * (Int.bitWidth - max(1, suspects).leadingZeroBitCount)
    }

    /// Resources whose turn it is to be sent without others. Whoever has new content meanwhile is let go.
    mutating func nextTrial(current: (ResourceName) -> Resource?) -> [Resource] {
        // Nothing is left of what was to be sent without them.
        if self.groups.isEmpty { self.tryAccused() }
        // The largest first: that frees most, and when the search is given up, only small groups are left around the culprits.
        while let place = self.groups.indices.reversed().max(by: { self.groups[$0].count < self.groups[$1].count }) {
            let group = self.groups.remove(at: place)
            let resources = group.compactMap { name -> Resource? in
                guard let conviction = self.awaitingTrial[name] else { return nil }
                if let resource = current(name), resource.version == conviction.version { return resource }
                self.awaitingTrial[name] = nil
                return nil
            }
            guard !resources.isEmpty else { continue }
            self.trials += 1
            return resources
        }
        self.awaitingTrial = [:]
        return []
    }

    /// To send them would say once more what was refused: they count as refused.
    mutating func refusedUnsent(_ group: [Resource]) {
        self.trials -= 1
        if group.count == 1, let name = group.first?.name {
            self.convicted[name] = self.awaitingTrial.removeValue(forKey: name)
        } else {
            self.part(group.map(\.name), named: [])
        }
    }

    /// The accusation helped nobody.
    mutating func tryAccused() {
        guard !self.accused.isEmpty else { return }
        self.groups.append(self.accused.keys.sorted())
        self.awaitingTrial.merge(self.accused) { first, _ in first }
        self.accused = [:]
    }

    /// The type changed, or the client asks for more: there is a reason to try again.
    mutating func renew(retries: Bool) {
        self.trials = 0
        self.limit = nil
        guard retries, !self.untried.isEmpty else { return }
        self.groups.insert(self.untried.keys.sorted(), at: 0)
        self.awaitingTrial.merge(self.untried) { first, _ in first }
        self.untried = [:]
    }

    private mutating func part(_ suspects: [ResourceName], named: [ResourceName]) {
        let suspects = suspects.sorted()
        let (first, second): ([ResourceName], [ResourceName])
        if !named.isEmpty, named.count < suspects.count {
            let named = Set(named)
            (first, second) = (suspects.filter { !named.contains($0) }, suspects.filter(named.contains))
        } else {
            (first, second) = (Array(suspects[..<(suspects.count / 2)]), Array(suspects[(suspects.count / 2)...]))
        }
        self.groups.append(second)
        if !first.isEmpty { self.groups.append(first) }
    }

    private mutating func giveUpIfTooMany(_ suspects: Int) {
        let limit = self.limit ?? Self.limit(of: suspects)
        self.limit = limit
        guard self.trials >= limit else { return }
        self.untried.merge(self.awaitingTrial) { $1 }
        self.awaitingTrial = [:]
        self.groups = []
    }

    // MARK: Answers

    /// - Parameters:
    ///   - held: those under whose names the client held something when the response came.
    ///   - isTrial: `changed` is a group that `nextTrial` gave out.
    ///   - isMore: the response took something away as well, or told that something is still there, and that may be what
    ///     was refused.
    /// - Returns: whom the report should name.
    mutating func refused(
        _ changed: [Resource],
        held: Set<ResourceName>,
        message: String,
        isTrial: Bool,
        isMore: Bool
    ) -> [Resource] {
        let message = Self.excerpt(message)
        // What was said of a suspect at first stays: meanwhile nobody knows what the client holds.
        let earlier = self.awaitingTrial.merging(self.accused) { first, _ in first }
        let conviction = { (resource: Resource) in
            Conviction(
                version: resource.version,
                message: message,
                hasPredecessor: earlier[resource.name]?.hasPredecessor ?? held.contains(resource.name)
            )
        }
        if changed.count == 1, !isMore, let only = changed.first {
            self.forget(only.name)
            self.convicted[only.name] = conviction(only)
            if isTrial { self.giveUpIfTooMany(1) }
            return changed
        }
        let named = Self.mentioned(changed, in: message)
        let accused = changed.count == 1 ? changed : named
        if !isTrial, self.accused.isEmpty, !accused.isEmpty, accused.count < changed.count || isMore {
            for resource in accused {
                self.forget(resource.name)
                self.accused[resource.name] = conviction(resource)
            }
            return accused
        }
        // The words do not help, or the accusation was wrong: try them all.
        self.tryAccused()
        for resource in changed {
            self.forget(resource.name)
            self.awaitingTrial[resource.name] = conviction(resource)
        }
        self.part(changed.map(\.name), named: named.map(\.name))
        self.giveUpIfTooMany(self.awaitingTrial.count)
        return changed
    }

    /// Convicts those that the message names, or everybody, without a trial.
    mutating func convict(_ changed: [Resource], message: String) -> [Resource] {
        let message = Self.excerpt(message)
        let named = Self.mentioned(changed, in: message)
        let blamed = named.isEmpty ? changed : named
        for resource in blamed {
            self.forget(resource.name)
            self.convicted[resource.name] = Conviction(
                version: resource.version,
                message: message,
                hasPredecessor: true
            )
        }
        return blamed
    }

    /// The client took this very content.
    mutating func accepted(_ resource: Resource) {
        if self.excludes(resource) { self.forget(resource.name) }
    }

    /// A response was accepted: of those on trial if `trial` is given, of others otherwise.
    /// - Parameter isComplete: nothing of the refused response is left to be sent.
    mutating func acknowledged(trial: Set<ResourceName>?, isComplete: Bool) {
        if let trial {
            for name in trial { self.awaitingTrial[name] = nil }
        } else if !isComplete || self.accused.isEmpty {
            return
        } else if self.accused.count == 1 {
            self.convicted.merge(self.accused) { $1 }
            self.accused = [:]
        } else {
            self.tryAccused()
        }
    }

    mutating func forget(_ name: ResourceName) {
        self.convicted[name] = nil
        self.accused[name] = nil
        self.awaitingTrial[name] = nil
        self.untried[name] = nil
    }

    /// Lets go whoever has other content now, or is gone.
    mutating func acquit(_ name: ResourceName, unless version: ResourceVersion?) {
        if self.convicted[name]?.version != version { self.convicted[name] = nil }
        if self.accused[name]?.version != version { self.accused[name] = nil }
        if self.awaitingTrial[name]?.version != version { self.awaitingTrial[name] = nil }
        if self.untried[name]?.version != version { self.untried[name] = nil }
    }
}
