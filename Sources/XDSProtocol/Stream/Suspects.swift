// SPDX-License-Identifier: Apache-2.0

/// Finds out which resources of a refused response are to blame. A NACK covers a whole response, and the proxy's words
/// name the culprit only sometimes; nobody else's resources may wait for it.
///
/// - One changed resource in the response: it is convicted.
/// - Several, and the message names some of them: those are accused, and the others are sent without them. If that is
///   acknowledged and one was accused, it is convicted without being sent again.
/// - Otherwise each gets a trial: a response with nothing else new in it.
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
    private var awaitingTrial: [ResourceName: Conviction] = [:]

    var isEmpty: Bool { self.convicted.isEmpty && self.accused.isEmpty && self.awaitingTrial.isEmpty }
    var names: Set<ResourceName> {
        Set(self.convicted.keys).union(self.accused.keys).union(self.awaitingTrial.keys)
    }
    /// Whether the client may work with an older version of one of them than ours.
    var mayHavePredecessors: Bool {
        !self.accused.isEmpty || !self.awaitingTrial.isEmpty || self.convicted.values.contains(where: \.hasPredecessor)
    }
    var haveTrials: Bool { !self.awaitingTrial.isEmpty }

    /// Whether `resource` is not to be sent together with others, or at all.
    func excludes(_ resource: Resource) -> Bool {
        self.convicted[resource.name]?.version == resource.version
            || self.accused[resource.name]?.version == resource.version
            || self.awaitingTrial[resource.name]?.version == resource.version
    }

    /// A resource whose turn it is to be sent by itself. Whoever has new content meanwhile is let go.
    mutating func nextTrial(current: (ResourceName) -> Resource?) -> Resource? {
        while let (name, conviction) = self.awaitingTrial.min(by: { $0.key < $1.key }) {
            guard let resource = current(name), resource.version == conviction.version else {
                self.awaitingTrial[name] = nil
                continue
            }
            return resource
        }
        return nil
    }

    /// - Parameter held: those under whose names the client held something when the response came.
    /// - Returns: whom the report should name.
    mutating func refused(_ changed: [Resource], held: Set<ResourceName>, message: String) -> [Resource] {
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
        if changed.count == 1, let only = changed.first {
            self.forget(only.name)
            self.convicted[only.name] = conviction(only)
            return changed
        }
        let named = changed.filter { Self.mentions(message, $0.name.rawValue) }
        if self.accused.isEmpty, !named.isEmpty, named.count < changed.count {
            for resource in named { self.accused[resource.name] = conviction(resource) }
            return named
        }
        // The words do not help, or the accusation was wrong: try them all.
        for resource in changed { self.awaitingTrial[resource.name] = conviction(resource) }
        self.awaitingTrial.merge(self.accused) { first, _ in first }
        self.accused = [:]
        return changed
    }

    /// Convicts those that the message names, or everybody, without a trial.
    mutating func convict(_ changed: [Resource], message: String) -> [Resource] {
        let message = Self.excerpt(message)
        let named = changed.filter { Self.mentions(message, $0.name.rawValue) }
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

    /// A response was accepted: of one on trial if `trial` is given, of others otherwise.
    /// - Parameter isComplete: nothing of the refused response is left to be sent.
    mutating func acknowledged(trial: ResourceName?, isComplete: Bool) {
        if let trial {
            self.awaitingTrial[trial] = nil
        } else if !isComplete || self.accused.isEmpty {
            return
        } else if self.accused.count == 1 {
            self.convicted.merge(self.accused) { $1 }
            self.accused = [:]
        } else {
            self.awaitingTrial.merge(self.accused) { $1 }
            self.accused = [:]
        }
    }

    mutating func forget(_ name: ResourceName) {
        self.convicted[name] = nil
        self.accused[name] = nil
        self.awaitingTrial[name] = nil
    }

    /// Lets go whoever has other content now, or is gone.
    mutating func acquit(_ name: ResourceName, unless version: ResourceVersion?) {
        if self.convicted[name]?.version != version { self.convicted[name] = nil }
        if self.accused[name]?.version != version { self.accused[name] = nil }
        if self.awaitingTrial[name]?.version != version { self.awaitingTrial[name] = nil }
    }

    /// In scalars: a single character may be as long as a request.
    private static func excerpt(_ message: String) -> String {
        String(message.unicodeScalars.prefix(1024))
    }

    /// Whether `name` stands in `message` as a whole word.
    private static func mentions(_ message: String, _ name: String) -> Bool {
        let isPartOfName = { (byte: UInt8) in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"),
                UInt8(ascii: "?"), UInt8(ascii: "="), UInt8(ascii: "&"):
                true
            default: false
            }
        }
        let message = Array(message.utf8)
        let name = Array(name.utf8)
        guard !name.isEmpty, message.count >= name.count else { return false }
        return (0...(message.count - name.count)).contains { start in
            let end = start + name.count
            return message[start..<end].elementsEqual(name)
                && (start == 0 || !isPartOfName(message[start - 1]))
                && (end == message.count || !isPartOfName(message[end]))
        }
    }
}
