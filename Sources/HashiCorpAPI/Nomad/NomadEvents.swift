// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
package import NIOCore

/// A line of `/v1/event/stream`: what happened at one index. A heartbeat is one without events.
/// See https://developer.hashicorp.com/nomad/api-docs/events
package struct NomadEvents: Decodable, Sendable {
    /// 0 in a heartbeat.
    package var index: UInt64
    package var events: [NomadEvent]
    package var unreadable: Unreadable

    package var isHeartbeat: Bool { self.events.isEmpty && self.unreadable.isEmpty && self.index == 0 }

    private enum Keys: String, CodingKey {
        case index = "Index"
        case events = "Events"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let listing = try container.decodeIfPresent(Listing<NomadEvent>.self, forKey: .events)
        self.index = try container.unsigned(.index)
        self.events = listing?.elements ?? []
        self.unreadable = listing?.unreadable ?? Unreadable()
    }

    /// - Parameter client: whose secrets an error must not quote.
    /// - Throws: `malformed`.
    package static func line(_ line: ByteBuffer, to client: APIClient? = nil) throws(APIError) -> NomadEvents {
        let response = APIResponse(status: 200, body: line)
        return try (client?.masked(response) ?? response).value(of: NomadEvents.self)
    }
}

package struct NomadEvent: Decodable, Hashable, Sendable {
    package enum Payload: Hashable, Sendable {
        /// As it was, if the event tells that it is gone.
        case service(NomadServiceRegistration)
        case allocation(NomadAllocation)
        case deployment(NomadDeployment)
        case node(NomadNode)
        /// Of a topic that is not read here.
        case other
    }

    /// Such as "Service".
    package var topic: String
    /// Such as "ServiceDeregistration".
    package var type: String
    /// The identity of what it is about.
    package var key: String
    package var namespace: String
    package var index: UInt64
    package var payload: Payload

    private enum Keys: String, CodingKey {
        case topic = "Topic"
        case type = "Type"
        case key = "Key"
        case namespace = "Namespace"
        case index = "Index"
        case payload = "Payload"
    }

    private enum PayloadKeys: String, CodingKey {
        case service = "Service"
        case allocation = "Allocation"
        case deployment = "Deployment"
        case node = "Node"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.topic = try container.decode(String.self, forKey: .topic)
        self.type = try container.string(.type)
        self.key = try container.string(.key)
        self.namespace = try container.string(.namespace)
        self.index = try container.unsigned(.index)
        guard let key = PayloadKeys(stringValue: self.topic) else {
            self.payload = .other
            return
        }
        let payload = try container.nestedContainer(keyedBy: PayloadKeys.self, forKey: .payload)
        guard payload.contains(key) else {
            self.payload = .other
            return
        }
        self.payload =
            switch key {
            case .service: .service(try payload.decode(NomadServiceRegistration.self, forKey: key))
            case .allocation: .allocation(try payload.decode(NomadAllocation.self, forKey: key))
            case .deployment: .deployment(try payload.decode(NomadDeployment.self, forKey: key))
            case .node: .node(try payload.decode(NomadNode.self, forKey: key))
            }
    }
}
