// SPDX-License-Identifier: Apache-2.0

/// Which services a scope has to read, one by one, after a list named them.
struct NomadNames: Sendable {
    /// A list that seems to have lost namespaces: is there nothing in them, or may the token not see them any more? An
    /// answer about all of them leaves those out, and one about each says so.
    struct Verification: Sendable {
        var names: Set<NomadServiceKey>
        var index: UInt64
        /// Those that are asked about.
        var open: [String: NomadRequestID]
        /// Not seen, or nobody could say, and why.
        var kept: [String: NomadFailure] = [:]
        var isSinceOpen: Bool
    }

    /// How many are read at a time.
    private static let concurrency = 4

    var verification: Verification?
    /// Namespaces that a list of all did not show though services of them are known, and why these are not said to be gone.
    private var unseen: [String: NomadFailure] = [:]
    /// The list itself shows that the token may see nothing.
    var isBlind = false
    /// Those that are asked again soon.
    private var failures: [NomadServiceKey: NomadFailure] = [:]
    /// Those that it would be no use to ask again, and those that could be read in part only.
    private(set) var troubles: [NomadServiceKey: NomadFailure] = [:]
    private var queue: [NomadServiceKey] = []
    private var queued: Set<NomadServiceKey> = []
    private var requests: [NomadServiceKey: NomadRequestID] = [:]
    /// Under way since before the indexes were forgotten.
    private var outdated: Set<NomadServiceKey> = []
    private var notBefore = Duration.zero
    private var backOff = BackOff()
    private var count = 0
    /// Everything until this index is in.
    private(set) var syncedIndex: UInt64?
    private var targetIndex: UInt64?
    /// Of the last event since the stream opened.
    private var heardIndex: UInt64 = 0
    /// Whether the last list and the events since the stream opened are all that happened.
    private var isUnbroken = false

    var failure: NomadFailure? { self.failures.min { $0.key < $1.key }?.value }
    /// Namespaces that the token saw once, and may not see any more.
    var hidden: Set<String> { Set(self.unseen.filter(\.value.isForbidden).keys) }
    /// Why nobody knows whether the token may see a namespace.
    var visibilityFailure: NomadFailure? {
        let unknown = self.unseen.filter { !$0.value.isForbidden }.min { $0.key < $1.key }
        guard let (namespace, failure) = unknown else { return nil }
        var named = failure
        named.text = "whether there are services in the namespace \(namespace) is not known: \(failure.text)"
        return named
    }
    var isVerifying: Bool { self.verification != nil }
    /// Whether all that was ever named has been read once.
    private(set) var areRead = false
    var areSettled: Bool { self.queue.isEmpty && self.requests.isEmpty }
    var due: Duration? { self.nextPlace == nil ? nil : self.notBefore }

    /// Between two reads of everything because something changed, where nothing tells what: 5 ms a service.
    var pause: Duration { min(.milliseconds(5) * self.count, .seconds(30)) }

    /// A list was complete as of an index.
    ///
    /// - Parameters:
    ///   - new: those of the names that nothing is known of.
    ///   - unseen: namespaces that it may have left out.
    ///   - isSinceOpen: it was asked for after the stream opened, so that together they miss nothing.
    mutating func listed(
        _ names: Set<NomadServiceKey>,
        new: Set<NomadServiceKey> = [],
        unseen: [String: NomadFailure] = [:],
        asOf index: UInt64,
        isSinceOpen: Bool
    ) {
        self.count = names.count
        // Nobody knows what happened where nothing was seen.
        if self.unseen.keys.contains(where: { unseen[$0] == nil }) { self.doubt() }
        self.unseen = unseen
        self.failures = self.failures.filter { names.contains($0.key) }
        self.troubles = self.troubles.filter { names.contains($0.key) || unseen[$0.key.namespace] != nil }
        self.isBlind = false
        self.isUnbroken = isSinceOpen
        // What events told since is in, too.
        let isBeingRead = self.targetIndex == index && !self.areSettled
        guard !isBeingRead, self.syncedIndex != index || !self.areSettled else {
            // The token may see another namespace, and what could not be read is worth another attempt: no index tells of that.
            for key in new.union(self.troubles.keys).intersection(names).sorted()
            where self.requests[key] == nil && self.queued.insert(key).inserted {
                self.queue.append(key)
            }
            return self.finish()
        }
        // What is gone, or hidden, need not be read.
        self.queue.removeAll { !names.contains($0) }
        self.queued.formIntersection(names)
        self.targetIndex = index
        for key in names.sorted() where self.queued.insert(key).inserted { self.queue.append(key) }
        self.finish()
    }

    /// Nothing is kept any more of namespaces that the token may not see.
    mutating func accepted(_ namespaces: Set<String>) {
        for namespace in namespaces { self.unseen[namespace] = nil }
        self.troubles = self.troubles.filter { !namespaces.contains($0.key.namespace) }
    }

    mutating func next(at now: Duration) -> NomadServiceKey? {
        guard self.notBefore <= now, let place = self.nextPlace else { return nil }
        let key = self.queue.remove(at: place)
        self.queued.remove(key)
        return key
    }

    /// One that is under way is asked again after: its answer may be from before.
    private var nextPlace: Int? {
        guard self.requests.count < Self.concurrency else { return nil }
        return self.queue.lastIndex { self.requests[$0] == nil }
    }

    mutating func sent(_ key: NomadServiceKey, _ request: NomadRequestID) {
        self.requests[key] = request
    }

    /// - Parameter trouble: why it was read in part only; nil: all of it was.
    /// - Returns: whether the answer is of use.
    mutating func answered(_ key: NomadServiceKey, _ trouble: NomadFailure? = nil) -> Bool {
        self.requests[key] = nil
        self.backOff.succeeded()
        self.failures[key] = nil
        self.troubles[key] = trouble
        let isCurrent = self.outdated.remove(key) == nil
        if !isCurrent, self.queued.insert(key).inserted { self.queue.append(key) }
        self.finish()
        return isCurrent
    }

    /// - Parameter isHopeless: it will be the same again; what is known of it stays.
    mutating func failed(
        _ key: NomadServiceKey,
        _ failure: NomadFailure,
        isHopeless: Bool,
        _ effects: inout NomadEffects
    ) {
        self.requests[key] = nil
        self.failures[key] = isHopeless ? nil : failure
        if isHopeless {
            self.troubles[key] = failure
            self.outdated.remove(key)
            self.finish()
            return
        }
        self.notBefore = effects.now + self.backOff.failed(using: &effects.random)
        if self.queued.insert(key).inserted { self.queue.append(key) }
    }

    /// An event told of a change.
    mutating func heard(index: UInt64) {
        self.heardIndex = max(self.heardIndex, index)
        if self.isUnbroken, self.areSettled { self.catchUp() }
    }

    /// Events may have been missed until now.
    mutating func streamOpened() {
        self.isUnbroken = false
        self.heardIndex = 0
        self.verification?.isSinceOpen = false
    }

    private mutating func catchUp() {
        if let synced = self.syncedIndex { self.syncedIndex = max(synced, self.heardIndex) }
    }

    /// Something was missed: the next list is to be read service by service.
    mutating func doubt() {
        self.syncedIndex = nil
        self.isUnbroken = false
    }

    /// The indexes are not comparable with those to come, nor is that of a list that is being verified. Another one will name
    /// again what is to be read.
    mutating func forgetIndexes(_ effects: inout NomadEffects) {
        self.doubt()
        for request in self.verification?.open.values.map(\.self) ?? [] { effects.cancel(request) }
        self.verification = nil
        self.targetIndex = nil
        self.heardIndex = 0
        self.outdated = Set(self.requests.keys)
    }

    private mutating func finish() {
        guard self.areSettled else { return }
        self.areRead = true
        if let target = self.targetIndex {
            self.syncedIndex = max(target, self.syncedIndex ?? 0)
            self.targetIndex = nil
        }
        if self.isUnbroken { self.catchUp() }
    }
}
