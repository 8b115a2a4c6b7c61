// SPDX-License-Identifier: Apache-2.0

/// Notices that indexes fall again and again. Once, they fall when a Consul has lost its state, which is followed at once.
/// When they do not stop, something else answers, such as several Consuls in turn: then all that is asked is whether that
/// is over, and what was known is kept meanwhile.
struct ConsulDoubt: Hashable, Sendable {
    static let failure = ConsulFailure(
        reason: .decoding,
        message: "the indexes of Consul's answers fall again and again, so nothing new is believed; "
            + "see that the address leads to one Consul, and not to several in turn"
    )
    /// Between two checks of the link meanwhile.
    static let interval = Duration.milliseconds(350)
    /// So much higher than the catalog's is no index of a service: that many changes do not come in the meantime.
    static let slack: UInt64 = 1000

    /// Falls that are closer together are one.
    private static let moment = Duration.milliseconds(250)
    private static let window = Duration.seconds(5)
    /// So many are too many in that time.
    private static let limit = 3
    /// After it was over, the first one is too many for so long.
    private static let memory = Duration.seconds(10)
    /// Checks in a row that show no lower index: the first time, and once it was over and was not.
    private static let needed = (first: 2, again: 3)

    private var falls: [Duration] = []
    private var memoryEnd: Duration?
    /// Checks in a row that went well; nil: there is no doubt.
    private var wellChecks: Int?
    private var needed = Self.needed.first
    private var lastIndex: UInt64 = 0

    var isOn: Bool { self.wellChecks != nil }

    /// Whether an index fell lately, and may again.
    func isRecent(at now: Duration) -> Bool {
        self.falls.last.map { now < $0 + Self.window } ?? false || self.memoryEnd.map { now < $0 } ?? false
    }

    /// An index was lower than one seen before. Returns whether there is doubt from now on.
    mutating func fell(at now: Duration) -> Bool {
        guard !self.isOn else {
            self.wellChecks = 0
            return false
        }
        self.falls.removeAll { $0 + Self.window < now }
        if self.falls.last.map({ $0 + Self.moment <= now }) ?? true { self.falls.append(now) }
        guard self.falls.count >= Self.limit || self.memoryEnd.map({ now < $0 }) ?? false else { return false }
        self.needed = self.memoryEnd.map { now < $0 } ?? false ? Self.needed.again : Self.needed.first
        self.falls = []
        self.wellChecks = 0
        self.lastIndex = .max
        return true
    }

    /// The link was checked. Returns whether the doubt is over.
    ///
    /// - Parameter index: of the catalog; nil: it was not told.
    mutating func checked(_ index: UInt64?, at now: Duration) -> Bool {
        guard let wellChecks = self.wellChecks else { return true }
        let isWell = index.map { $0 >= self.lastIndex } ?? false
        self.lastIndex = index ?? .max
        self.wellChecks = isWell ? wellChecks + 1 : 0
        guard isWell, wellChecks + 1 >= self.needed else { return false }
        self.wellChecks = nil
        self.memoryEnd = now + Self.memory
        return true
    }
}
