// SPDX-License-Identifier: Apache-2.0

/// A serialized `DiscoveryRequest` or `DeltaDiscoveryRequest`, read by hand: nearly every request is an ACK, of which a
/// type and a nonce are all that matters, and a state-of-the-world ACK repeats every name that the client subscribes to.
/// See https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/discovery/v3/discovery.proto
package struct RequestMessage: Sendable {
    /// The bytes are not such a message.
    package struct Malformed: Error {}

    /// Where the names of the last request of a type stand again.
    package struct Repetition: Equatable, Sendable {
        package var type: TypeURL
        package var range: Range<Int>

        package init(type: TypeURL, range: Range<Int>) {
            self.type = type
            self.range = range
        }
    }

    private let variant: StreamStateMachine.Variant
    private let bytes: ArraySlice<UInt8>
    /// The serialized `Node`; nil if there is none, as in all requests of a stream but the first.
    package private(set) var node: [UInt8]?
    private var typeBytes: ArraySlice<UInt8> = []
    private var versionInfo = ""
    private var responseNonce = ""
    private var errorMessage: String?
    /// From the first to the last of `resource_names` or `resource_names_subscribe`, as they came. Equal bytes are equal
    /// names. Empty if there is anything else between them.
    package private(set) var namesBytes: ArraySlice<UInt8> = []
    /// The type whose `namesBytes` these are again, of those that were given as known.
    private var namesAreThoseOf: TypeURL?
    /// What `known` was, as the caller counts: other requests may be taken before this one.
    package let knownAsOf: Int

    /// - Parameters:
    ///   - known: the `namesBytes` of the last request of each type, which need not be read again.
    ///   - repetition: where one of them was found already, as the first names of the message.
    package init(
        _ bytes: [UInt8],
        variant: StreamStateMachine.Variant,
        known: [TypeURL: [UInt8]] = [:],
        repetition: Repetition? = nil,
        knownAsOf: Int = 0
    ) throws(Malformed) {
        self.knownAsOf = knownAsOf
        self.variant = variant
        self.bytes = bytes[...]
        do {
            switch variant {
            case .sotw: try self.scanSotW(known, repetition)
            case .delta: try self.scanDelta()
            }
        } catch { throw Malformed() }
    }

    package var byteCount: Int { self.bytes.count }

    /// What stands in `type_url`; empty if nothing does.
    package var typeURL: String {
        get throws(Malformed) {
            do { return try WireReader.text(self.typeBytes) } catch { throw Malformed() }
        }
    }

    /// The type, if it is one of `TypeURL.known`: found without making a text of it.
    package var knownType: TypeURL? {
        TypeURL.known.first { self.typeBytes.isEqual(to: $0.utf8) }
    }

    /// State of the world: whether the names are those of the last request of the type.
    package func repeatsNames(of type: TypeURL) -> Bool { self.namesAreThoseOf == type }

    /// What was known is not any more: the names are to be read.
    package mutating func forgetKnown() {
        self.namesAreThoseOf = nil
    }

    private mutating func scanSotW(_ known: [TypeURL: [UInt8]], _ repetition: Repetition?) throws {
        var names: Range<Int>?
        var isContiguous = true
        var again: (type: TypeURL, count: Int)?
        var reader = WireReader(self.bytes)
        while let (field, content) = try reader.next() {
            switch field {
            case 1: self.versionInfo = try WireReader.text(content)
            case 2: self.appendNode(content)
            case 3:
                if names == nil, let repetition, repetition.range.lowerBound == reader.fieldStart {
                    reader.skip(to: repetition.range.upperBound)
                    again = (repetition.type, repetition.range.count)
                } else if names == nil, let (type, bytes) = known.first(where: { reader.skip($0.value) }) {
                    again = (type, bytes.count)
                }
                if let names, names.upperBound != reader.fieldStart { isContiguous = false }
                names = (names?.lowerBound ?? reader.fieldStart)..<reader.position
            case 4: self.typeBytes = content
            case 5: self.responseNonce = try WireReader.text(content)
            case 6: self.errorMessage = try Self.message(ofStatus: content)
            default: continue
            }
        }
        // Whoever knows the names again passes over what stands between them.
        guard let names, isContiguous else { return }
        self.namesBytes = self.bytes[names]
        let type = self.knownType ?? again?.type
        if let again, again.type == type, again.count == names.count {
            self.namesAreThoseOf = type
        } else if let type, let bytes = known[type], self.namesBytes.isEqual(to: bytes) {
            // Another type's names are, or begin with, the same.
            self.namesAreThoseOf = type
        }
    }

    private mutating func scanDelta() throws {
        var names: Range<Int>?
        var isContiguous = true
        var reader = WireReader(self.bytes)
        while let (field, content) = try reader.next() {
            switch field {
            case 1: self.appendNode(content)
            case 2: self.typeBytes = content
            case 3:
                if let names, names.upperBound != reader.fieldStart { isContiguous = false }
                names = (names?.lowerBound ?? reader.fieldStart)..<reader.position
            case 6: self.responseNonce = try WireReader.text(content)
            case 7: self.errorMessage = try Self.message(ofStatus: content)
            default: continue
            }
        }
        if let names, isContiguous { self.namesBytes = self.bytes[names] }
    }

    /// In place: a message may have very many pieces of one.
    private mutating func appendNode(_ piece: ArraySlice<UInt8>) {
        if self.node == nil { self.node = [] }
        self.node?.append(contentsOf: piece)
    }

    /// Of a `google.rpc.Status`.
    private static func message(ofStatus bytes: ArraySlice<UInt8>) throws -> String {
        var message = ""
        var reader = WireReader(bytes)
        while let (field, content) = try reader.next() {
            if field == 2 { message = try WireReader.text(content) }
        }
        return message
    }

    /// Without names if they are those of the last request of the type.
    /// - Parameter list: what `namesBytes` say, if it was read before.
    package func sotw(as type: TypeURL, list: NameList? = nil) throws(Malformed) -> SotWRequest {
        var request = SotWRequest(
            type: type,
            resourceNames: self.repeatsNames(of: type) ? nil : try self.names(list),
            versionInfo: self.versionInfo,
            responseNonce: Nonce(self.responseNonce),
            errorDetail: self.errorMessage
        )
        request.nameSet = list?.set
        return request
    }

    /// - Parameters:
    ///   - list: what `namesBytes` say, if it was read before.
    ///   - isFirst: of its type. Of others, what the client says that it holds means nothing: it is read, because it may be
    ///     malformed, and only the longest name is kept, because that may be too long.
    package func delta(
        as type: TypeURL,
        list: NameList? = nil,
        isFirst: Bool = true
    ) throws(Malformed) -> DeltaRequest {
        var request = DeltaRequest(
            type: type,
            subscribe: try self.names(list),
            unsubscribe: try self.names(in: 4),
            initialResourceVersions: try self.initialResourceVersions(isFirst: isFirst),
            responseNonce: Nonce(self.responseNonce),
            errorDetail: self.errorMessage
        )
        request.subscribeSet = list?.set
        return request
    }

    /// What `namesBytes` say, for whoever asks for the same later.
    package func nameList() throws(Malformed) -> NameList {
        NameList(bytes: Array(self.namesBytes), names: try self.names(nil))
    }

    /// `resource_names` or `resource_names_subscribe`.
    private func names(_ list: NameList?) throws(Malformed) -> [ResourceName] {
        if let list { list.names } else { try self.names(in: 3) }
    }

    private func names(in wanted: UInt64) throws(Malformed) -> [ResourceName] {
        do {
            var names: [ResourceName] = []
            var reader = WireReader(self.bytes)
            while let (field, content) = try reader.next() {
                if field == wanted { names.append(ResourceName(try WireReader.text(content))) }
            }
            return names
        } catch { throw Malformed() }
    }

    private func initialResourceVersions(isFirst: Bool) throws(Malformed) -> [ResourceName: String] {
        do {
            var versions: [ResourceName: String] = [:]
            var longest = ""
            var reader = WireReader(self.bytes)
            while let (field, content) = try reader.next() {
                guard field == 5 else { continue }
                var (name, version) = ("", "")
                var entry = WireReader(content)
                while let (field, content) = try entry.next() {
                    if field == 1 { name = try WireReader.text(content) }
                    if field == 2 { version = try WireReader.text(content) }
                }
                if isFirst {
                    versions[ResourceName(name)] = version
                } else if name.utf8.count > longest.utf8.count {
                    longest = name
                }
            }
            if !longest.isEmpty { versions[ResourceName(longest)] = "" }
            return versions
        } catch { throw Malformed() }
    }
}
