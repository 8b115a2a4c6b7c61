// SPDX-License-Identifier: Apache-2.0

import EnvoyAPI
import GRPCCore
import SwiftProtobuf
import Testing
import XDSProtocol

@testable import XDSServer

/// Long lists of names, which many proxies ask for in the same words.
@Suite struct NameListsTests {
    private static let names = (0..<200).map { "service-\($0)" }

    private static func message(_ names: [String], variant: StreamStateMachine.Variant) throws -> RequestMessage {
        switch variant {
        case .sotw:
            let request = Envoy_Service_Discovery_V3_DiscoveryRequest.with {
                $0.typeURL = TypeURL.endpoints.rawValue
                $0.resourceNames = names
            }
            return try RequestMessage(request.serializedBytes(), variant: variant)
        case .delta:
            let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
                $0.typeURL = TypeURL.endpoints.rawValue
                $0.resourceNamesSubscribe = names
            }
            return try RequestMessage(request.serializedBytes(), variant: variant)
        }
    }

    private static func limits(names: Int) -> StreamLimits {
        var limits = StreamLimits()
        limits.subscriptions.subscriptions = names
        return limits
    }

    @Test(arguments: [StreamStateMachine.Variant.sotw, .delta])
    func `who asks for the same shares one list`(_ variant: StreamStateMachine.Variant) throws {
        let lists = NameLists()
        let first = try #require(try lists.list(of: Self.message(Self.names, variant: variant)))
        let second = try #require(try lists.list(of: Self.message(Self.names, variant: variant)))
        #expect(first === second)
        #expect(first.set == Set(Self.names.map { ResourceName($0) }))
        let other = try #require(try lists.list(of: Self.message(Self.names.reversed(), variant: variant)))
        #expect(other !== first)
        #expect(other.names == Self.names.reversed().map { ResourceName($0) })
    }

    @Test func `a short list is nobody else's`() throws {
        #expect(try NameLists().list(of: Self.message(["a", "b"], variant: .delta)) == nil)
    }

    @Test func `names that were counted before are passed over once`() throws {
        let limits = Self.limits(names: 150)
        let bytes: [UInt8] = try Envoy_Service_Discovery_V3_DiscoveryRequest.with {
            $0.typeURL = TypeURL.endpoints.rawValue
            $0.resourceNames = Self.names
        }.serializedBytes()
        let known = [TypeURL.endpoints: Array(try Self.message(Self.names, variant: .sotw).namesBytes)]
        #expect(throws: RPCError.self) { try RequestShape.check(bytes, variant: .sotw, limits: limits) }
        #expect(throws: Never.self) { try RequestShape.check(bytes, variant: .sotw, limits: limits, known: known) }
        #expect(throws: RPCError.self) {
            try RequestShape.check(bytes + bytes, variant: .sotw, limits: limits, known: known)
        }
    }

    @Test func `where names stand again is found once, and told to the reader`() throws {
        let names = (0..<400).map { "service-\($0)" }
        func bytes(_ names: [String]) throws -> [UInt8] {
            try Envoy_Service_Discovery_V3_DiscoveryRequest.with {
                $0.versionInfo = "7"
                $0.typeURL = TypeURL.endpoints.rawValue
                $0.responseNonce = "8"
                $0.resourceNames = names
            }.serializedBytes()
        }
        let again = try bytes(names)
        let known = [TypeURL.endpoints: Array(try RequestMessage(again, variant: .sotw).namesBytes)]
        func read(_ bytes: [UInt8]) throws -> (RequestMessage.Repetition?, RequestMessage) {
            let found = try RequestShape.check(bytes, variant: .sotw, limits: StreamLimits(), known: known)
            return (found, try RequestMessage(bytes, variant: .sotw, known: known, repetition: found))
        }
        let (found, message) = try read(again)
        #expect(found?.type == .endpoints)
        #expect(found.map { Array(again[$0.range]) } == known[.endpoints])
        #expect(message.repeatsNames(of: .endpoints))
        #expect(try message.sotw(as: .endpoints).responseNonce.rawValue == "8")

        let (begin, more) = try read(try bytes(names + ["more"]))
        #expect(begin?.type == .endpoints)
        #expect(!more.repeatsNames(of: .endpoints))
        #expect(try more.sotw(as: .endpoints).resourceNames?.map(\.rawValue) == names + ["more"])

        let (none, others) = try read(try bytes(names.reversed()))
        #expect(none == nil)
        #expect(try others.sotw(as: .endpoints).resourceNames?.map(\.rawValue) == names.reversed())
    }
}
