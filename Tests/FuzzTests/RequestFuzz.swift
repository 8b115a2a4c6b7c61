// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import SwiftProtobuf
import TestSupport
import XDSProtocol

private typealias SotWMessage = Envoy_Service_Discovery_V3_DiscoveryRequest
private typealias DeltaMessage = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest

/// Damaged requests: our reader against the library that generated code uses. Whatever that takes, ours takes and
/// understands the same way, but for groups, which no discovery message has.
struct RequestFuzz {
    private var generator: SeededGenerator

    static func failure(seed: UInt64) -> String? {
        var fuzz = RequestFuzz(generator: SeededGenerator(seed: seed))
        let variant = fuzz.generator.chance(1, of: 2) ? StreamStateMachine.Variant.sotw : .delta
        let first = fuzz.damaged(fuzz.message(variant), variant)
        // The next request of a stream, often with the same names.
        let isLike = fuzz.generator.chance(2, of: 3)
        let second = fuzz.damaged(isLike ? first : fuzz.message(variant), variant)
        switch variant {
        case .delta:
            return [first, second].lazy.compactMap(Self.disagreement(delta:)).first
        case .sotw:
            return Self.disagreement(sotw: first, after: nil) ?? Self.disagreement(sotw: second, after: first)
                ?? Self.disagreement(sotw: first, after: first)
        }
    }

    // MARK: Messages

    private mutating func damaged(_ bytes: [UInt8], _ variant: StreamStateMachine.Variant) -> [UInt8] {
        switch Int.random(in: 0..<4, using: &self.generator) {
        case 0: return bytes
        case 1, 2: return WireFields(bytes).rearranged(using: &self.generator)
        default:
            let (other, splinters) = (self.message(variant), WireFields.splinters)
            return Damage.damaged(bytes, with: other, splinters: splinters, using: &self.generator)
        }
    }

    private mutating func message(_ variant: StreamStateMachine.Variant) -> [UInt8] {
        let known = TypeURL.known.randomElement(using: &self.generator)?.rawValue ?? ""
        let type = self.generator.chance(3, of: 4) ? known : self.generator.text()
        let bytes: [UInt8]?
        switch variant {
        case .sotw:
            var message = SotWMessage()
            message.typeURL = type
            message.versionInfo = self.generator.text()
            message.responseNonce = self.generator.text()
            message.resourceNames = self.generator.texts(0...6)
            if let node = self.node() { message.node = node }
            if let status = self.status() { message.errorDetail = status }
            bytes = try? message.serializedBytes()
        case .delta:
            var message = DeltaMessage()
            message.typeURL = type
            message.responseNonce = self.generator.text()
            message.resourceNamesSubscribe = self.generator.texts(0...4)
            message.resourceNamesUnsubscribe = self.generator.texts(0...4)
            for name in self.generator.texts(0...4) { message.initialResourceVersions[name] = self.generator.text() }
            if let node = self.node() { message.node = node }
            if let status = self.status() { message.errorDetail = status }
            bytes = try? message.serializedBytes()
        }
        return bytes ?? []
    }

    private mutating func node() -> Envoy_Config_Core_V3_Node? {
        guard self.generator.chance(1, of: 3) else { return nil }
        var node = Envoy_Config_Core_V3_Node()
        node.id = self.generator.text()
        var value = Google_Protobuf_Value()
        value.stringValue = self.generator.text()
        for _ in 0..<Int.random(in: 0...4, using: &self.generator) {
            var list = Google_Protobuf_ListValue()
            list.values = [value]
            value.listValue = list
        }
        node.metadata.fields[self.generator.text()] = value
        return node
    }

    private mutating func status() -> Google_Rpc_Status? {
        guard self.generator.chance(1, of: 3) else { return nil }
        var status = Google_Rpc_Status()
        status.code = Int32.random(in: .min ... .max, using: &self.generator)
        status.message = self.generator.text()
        return status
    }

    // MARK: Comparison

    /// - Parameter previous: the last request of the stream, whose names need not be read again.
    private static func disagreement(sotw bytes: [UInt8], after previous: [UInt8]?) -> String? {
        var known: [TypeURL: [UInt8]] = [:]
        var knownNames: [TypeURL: [String]] = [:]
        if let previous, let message = try? RequestMessage(previous, variant: .sotw), let url = try? message.typeURL,
            let theirs = try? SotWMessage(serializedBytes: previous)
        {
            known[TypeURL(rawValue: url)] = Array(message.namesBytes)
            knownNames[TypeURL(rawValue: url)] = theirs.resourceNames
        }
        var ours: (message: RequestMessage, type: TypeURL, request: SotWRequest)?
        if let message = try? RequestMessage(bytes, variant: .sotw, known: known), let url = try? message.typeURL {
            let type = TypeURL(rawValue: url)
            if let request = try? message.sotw(as: type) { ours = (message, type, request) }
        }
        guard let theirs = try? SotWMessage(serializedBytes: bytes) else { return nil }
        guard let ours else { return Self.refusal(of: bytes, errorField: 6, mapField: nil) }
        var comparison = Comparison(bytes: bytes, previous: previous)
        comparison.head(ours.message, ours.type, theirs.typeURL, node: theirs.hasNode ? theirs.node : nil)
        comparison.expect("version", ours.request.versionInfo, theirs.versionInfo)
        comparison.expect("nonce", ours.request.responseNonce.rawValue, theirs.responseNonce)
        comparison.error(ours.request.errorDetail, theirs.hasErrorDetail ? theirs.errorDetail : nil, field: 6)
        let names = ours.request.resourceNames?.map(\.rawValue) ?? knownNames[ours.type] ?? []
        comparison.expect("names", names, theirs.resourceNames)
        return comparison.failure
    }

    private static func disagreement(delta bytes: [UInt8]) -> String? {
        var ours: (message: RequestMessage, type: TypeURL, request: DeltaRequest)?
        if let message = try? RequestMessage(bytes, variant: .delta), let url = try? message.typeURL {
            let type = TypeURL(rawValue: url)
            if let request = try? message.delta(as: type) { ours = (message, type, request) }
        }
        guard !Self.misleadsTheirs(bytes), let theirs = try? DeltaMessage(serializedBytes: bytes) else { return nil }
        guard let ours else { return Self.refusal(of: bytes, errorField: 7, mapField: 5) }
        var comparison = Comparison(bytes: bytes, previous: nil)
        comparison.head(ours.message, ours.type, theirs.typeURL, node: theirs.hasNode ? theirs.node : nil)
        comparison.expect("nonce", ours.request.responseNonce.rawValue, theirs.responseNonce)
        comparison.error(ours.request.errorDetail, theirs.hasErrorDetail ? theirs.errorDetail : nil, field: 7)
        comparison.expect("subscribed", ours.request.subscribe.map(\.rawValue), theirs.resourceNamesSubscribe)
        comparison.expect("unsubscribed", ours.request.unsubscribe.map(\.rawValue), theirs.resourceNamesUnsubscribe)
        comparison.expect(ours.request.initialResourceVersions, theirs.initialResourceVersions)
        return comparison.failure
    }

    /// swift-protobuf 1.39 does not pass over a key or value of another wire type in a map, but reads on in the middle
    /// of it.
    private static func misleadsTheirs(_ bytes: [UInt8]) -> Bool {
        WireFields(bytes).fields.filter { $0.number == 5 }.contains { entry in
            let entry = WireFields(entry.content ?? [])
            return (1...2).contains(entry.cut ?? 0)
                || entry.fields.contains { (1...2).contains($0.number) && $0.content == nil }
        }
    }

    private static func refusal(of bytes: [UInt8], errorField: UInt64, mapField: UInt64?) -> String? {
        let message = WireFields(bytes)
        let nested = message.fields.filter { $0.number == errorField || $0.number == mapField }
        if message.hasGroups || nested.contains(where: { WireFields($0.content ?? []).hasGroups }) { return nil }
        return "we refuse what swift-protobuf takes: \(bytes)"
    }
}

/// Byte for byte: `==` on texts takes different spellings of a character for equal.
private struct Comparison {
    let bytes: [UInt8]
    let previous: [UInt8]?
    private(set) var failure: String?

    init(bytes: [UInt8], previous: [UInt8]?) {
        self.bytes = bytes
        self.previous = previous
    }

    mutating func expect(_ what: String, _ ours: [String], _ theirs: [String]) {
        guard self.failure == nil, ours.map({ Array($0.utf8) }) != theirs.map({ Array($0.utf8) }) else { return }
        self.failure = "\(what): \(ours) and not \(theirs), in \(self.bytes) after \(self.previous ?? [])"
    }

    /// Theirs has one of those whose names are spelt differently, the last.
    mutating func expect(_ ours: [ResourceName: String], _ theirs: [String: String]) {
        let bySpelling = Dictionary(grouping: ours, by: \.key.rawValue)
        self.expect("initial names", Set(bySpelling.keys) == Set(theirs.keys) ? "equal" : "others", "equal")
        for (name, version) in theirs {
            let versions = bySpelling[name]?.map { Array($0.value.utf8) } ?? []
            self.expect("initial version", versions.contains(Array(version.utf8)) ? version : "another", version)
        }
    }

    mutating func expect(_ what: String, _ ours: String, _ theirs: String) {
        self.expect(what, [ours], [theirs])
    }

    mutating func head(_ ours: RequestMessage, _ type: TypeURL, _ url: String, node: Envoy_Config_Core_V3_Node?) {
        self.expect("type", type.rawValue, url)
        self.expect("known type", ours.knownType?.rawValue ?? "other", TypeURL.known.contains(type) ? url : "other")
        let ourNode = ours.node.flatMap { try? Envoy_Config_Core_V3_Node(serializedBytes: $0) }
        if self.failure == nil, ourNode != node { self.failure = "the node of \(self.bytes)" }
    }

    mutating func error(_ ours: String?, _ theirs: Google_Rpc_Status?, field: UInt64) {
        self.expect("error", ours == nil ? "none" : "one", theirs == nil ? "none" : "one")
        // Of several, protobuf makes one of what the last one has and the earlier ones had.
        let message = WireFields(self.bytes)
        let count = message.fields.count { $0.number == field && $0.content != nil }
        if let ours, let theirs, count == 1, !message.hasGroups { self.expect("message", ours, theirs.message) }
    }
}
