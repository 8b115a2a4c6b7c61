// SPDX-License-Identifier: Apache-2.0

import XDSProtocol

/// Something that the pure core does for every stream or every change, to be timed.
package struct CoreOperation {
    /// A key of the thresholds.
    package let name: String
    /// Does it once and returns how much came out, so that it cannot be optimized away and a test can see that it is done.
    let run: () -> Int

    init(_ name: String, _ run: @escaping () -> Int) {
        self.name = name
        self.run = run
    }

    /// Every one.
    package static var all: [CoreOperation] {
        let (small, large) = (CoreWorld(services: 1_000), CoreWorld(services: 10_000))
        return [
            .change("delta_change_1000", .delta, small),
            .change("delta_change_10000", .delta, large),
            .change("sotw_change_1000", .sotw, small),
            .change("sotw_change_10000", .sotw, large),
            .sync("delta_sync_1000", .delta, small),
            .sync("sotw_sync_1000", .sotw, small),
            .acceptance("delta_ack_read"),
            .repeatedNames("sotw_ack_read_1000", small),
            .encoding("encode_1", resources: 1, small),
            .encoding("encode_1000", resources: 1_000, small),
            .resource("resource_1300_bytes", bytes: 1_300),
            .differences("differences_10000", large),
        ]
    }

    /// What times are compared with: FNV-1a over 64 kB. Nothing in it but arithmetic, so that neither a library nor an
    /// instruction that one processor has and another has not is a part of the comparison.
    static var reference: CoreOperation {
        let bytes = (0..<65_536).map { UInt8(truncatingIfNeeded: $0) }
        return CoreOperation("reference") {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            return Int(truncatingIfNeeded: hash)
        }
    }

    /// One endpoint moves, and the proxy accepts it. Returns the resources that were sent.
    static func change(
        _ name: String,
        _ variant: StreamStateMachine.Variant,
        _ world: CoreWorld
    ) -> CoreOperation {
        var conversation = CoreConversation(variant)
        _ = conversation.sync(with: world)
        var generation = world.after.generation
        var isMoved = false
        return CoreOperation(name) {
            isMoved.toggle()
            generation += 1
            var snapshot = isMoved ? world.after : world.before
            snapshot.generation = generation
            return conversation.change(to: snapshot, world.changes)
        }
    }

    /// A stream begins. Returns the resources that were sent.
    static func sync(_ name: String, _ variant: StreamStateMachine.Variant, _ world: CoreWorld) -> CoreOperation {
        CoreOperation(name) {
            var conversation = CoreConversation(variant)
            return conversation.sync(with: world)
        }
    }

    /// A delta ACK is read. Returns the length of its nonce; -1: it is malformed.
    static func acceptance(_ name: String) -> CoreOperation {
        let bytes = FramedRequest(.delta, type: .endpoints, nonce: "12345".utf8).message
        return CoreOperation(name) {
            guard let message = try? RequestMessage(bytes, variant: .delta), let type = message.knownType,
                let request = try? message.delta(as: type)
            else { return -1 }
            return request.responseNonce.rawValue.utf8.count
        }
    }

    /// A state-of-the-world ACK that repeats the names of all services is read. Returns the length of its nonce; -1: it is
    /// malformed, or the names were not known again.
    static func repeatedNames(_ name: String, _ world: CoreWorld) -> CoreOperation {
        let names = EncodedNames(world.services.map { Array($0.rawValue.utf8) })
        let version = String(repeating: "0123456789abcdef", count: 2)
        let bytes = FramedRequest(
            .sotw,
            type: .endpoints,
            versionInfo: version.utf8,
            nonce: "12345".utf8,
            names: names
        ).message
        let known: [TypeURL: [UInt8]] = [
            .cluster: [], .endpoints: Array(names.bytes), .routeConfiguration: [],
        ]
        return CoreOperation(name) {
            guard let message = try? RequestMessage(bytes, variant: .sotw, known: known), let type = message.knownType,
                let request = try? message.sotw(as: type), request.resourceNames == nil
            else { return -1 }
            return request.responseNonce.rawValue.utf8.count
        }
    }

    /// A response of so many endpoints resources is put together. Returns its length.
    static func encoding(_ name: String, resources count: Int, _ world: CoreWorld) -> CoreOperation {
        let response = Response(
            type: .endpoints,
            nonce: Nonce("12345"),
            versionInfo: "12345",
            resources: world.services.prefix(count).compactMap { world.before[.endpoints, $0] },
            removals: []
        )
        return CoreOperation(name) { response.encodedDelta().count }
    }

    /// A message is hashed and framed. Returns the length of the frame.
    static func resource(_ name: String, bytes count: Int) -> CoreOperation {
        let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        return CoreOperation(name) {
            Resource(type: .endpoints, name: ResourceName("service-00000"), message: message).deltaEntry.count
        }
    }

    /// Two snapshots are compared where they are said to differ. Returns how many names do.
    static func differences(_ name: String, _ world: CoreWorld) -> CoreOperation {
        CoreOperation(name) {
            world.after.differences(from: world.before, among: world.changes).names.values.reduce(0) { $0 + $1.count }
        }
    }
}

extension FramedRequest {
    /// Without gRPC's prefix.
    fileprivate var message: [UInt8] {
        Array(self.head.dropFirst(Self.prefix)) + (self.names?.bytes ?? [])
    }
}
