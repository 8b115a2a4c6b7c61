// SPDX-License-Identifier: Apache-2.0

/// One aggregated stream as Envoy speaks it, without I/O: the clusters, then the endpoints of each, then the listeners, then
/// the routes of the listener; every response is accepted. Of a resource it holds no more than a fingerprint.
///
/// It does what a proxy does that starts and then sees endpoints change. What is removed is counted, and held on to.
struct SimulatedEnvoy {
    /// What one response brought.
    struct Receipt {
        let type: ResourceType
        var resources = 0
        /// Of these, how many the proxy held already.
        var unchanged = 0
        var removals = 0
        /// Whether the endpoints that were waited for have changed.
        var hasAwaited = false
        var requests: [FramedRequest] = []
    }

    /// What is held of one type, and how far the conversation about it has come.
    private struct Holdings {
        enum News { case same, changed, new }

        /// By number; 0: not held.
        private(set) var fingerprints: [UInt64] = []
        private(set) var count = 0
        var wasAsked = false
        var wasAnswered = false

        var indices: some Sequence<NameTable.Index> {
            self.fingerprints.indices.lazy.filter { [fingerprints] in fingerprints[$0] != 0 }
        }

        mutating func take(_ fingerprint: UInt64, at index: NameTable.Index) -> News {
            while self.fingerprints.count <= index { self.fingerprints.append(0) }
            let held = self.fingerprints[index]
            if held == fingerprint { return .same }
            self.fingerprints[index] = fingerprint
            if held != 0 { return .changed }
            self.count += 1
            return .new
        }
    }

    private let variant: Variant
    private var holdings = Array(repeating: Holdings(), count: ResourceType.allCases.count)
    /// The sum of the fingerprints of the names of all clusters.
    private var clusterDigest: UInt64 = 0
    /// Of the last response with endpoints: a state-of-the-world client repeats it when it asks for others.
    private var lastEndpoints: (versionInfo: [UInt8], nonce: [UInt8]) = ([], [])

    init(_ variant: Variant) {
        self.variant = variant
    }

    private func count(_ type: ResourceType) -> Int { self.holdings[type.rawValue].count }

    var held: Fleet.Held {
        Fleet.Held(clusters: self.count(.cluster), resources: self.holdings.reduce(0) { $0 + $1.count })
    }

    /// Whether it has all that it needs to take traffic.
    var isInSync: Bool {
        self.hasEveryEndpoint && self.holdings[ResourceType.listener.rawValue].wasAnswered
            && (self.count(.listener) == 0 || self.count(.route) > 0)
    }

    private var hasEveryEndpoint: Bool {
        self.holdings[ResourceType.cluster.rawValue].wasAnswered && self.count(.endpoints) >= self.count(.cluster)
    }

    /// The stream is open.
    mutating func opened(as id: String) -> FramedRequest {
        self.holdings[ResourceType.cluster.rawValue].wasAsked = true
        return FramedRequest(self.variant, type: .cluster, node: FramedRequest.node(id: id))
    }

    /// - Parameter awaited: the endpoints to look out for.
    mutating func received(
        _ bytes: UnsafeRawBufferPointer,
        awaiting awaited: NameTable.Index?,
        names: inout SharedNames
    ) throws(MalformedMessage) -> Receipt {
        let response = try ReceivedResponse(bytes, variant: self.variant)
        let type = response.type
        var receipt = Receipt(type: type)
        receipt.removals = response.removals
        var newClusters: [NameTable.Index] = []
        var newDigest: UInt64 = 0
        try response.forEachResource { resource in
            receipt.resources += 1
            let index = names.index(of: resource.name, type)
            switch self.holdings[type.rawValue].take(resource.fingerprint, at: index) {
            case .same: receipt.unchanged += 1
            case .new where type == .cluster:
                newClusters.append(index)
                newDigest &+= fingerprint(of: resource.name)
            case .changed, .new:
                if type == .endpoints, index == awaited { receipt.hasAwaited = true }
            }
        }
        self.clusterDigest &+= newDigest
        self.holdings[type.rawValue].wasAnswered = true
        if type == .endpoints, self.variant == .sotw {
            self.lastEndpoints = (Array(response.versionInfo), Array(response.nonce))
        }
        receipt.requests = [self.acceptance(of: response, names: &names)]
        if !newClusters.isEmpty {
            receipt.requests.append(self.endpointsRequest(for: newClusters, digest: newDigest, names: &names))
        }
        if self.hasEveryEndpoint, self.asksFirst(for: .listener) {
            receipt.requests.append(FramedRequest(self.variant, type: .listener))
        }
        if self.count(.listener) > 0, self.asksFirst(for: .route) {
            receipt.requests.append(FramedRequest(self.variant, type: .route, names: names.route))
        }
        return receipt
    }

    private mutating func asksFirst(for type: ResourceType) -> Bool {
        defer { self.holdings[type.rawValue].wasAsked = true }
        return !self.holdings[type.rawValue].wasAsked
    }

    private func acceptance(of response: ReceivedResponse, names: inout SharedNames) -> FramedRequest {
        guard self.variant == .sotw else { return FramedRequest(.delta, type: response.type, nonce: response.nonce) }
        let list: EncodedNames? =
            switch response.type {
            case .cluster, .listener: nil
            case .endpoints: self.allClusters(&names)
            case .route: names.route
            }
        return FramedRequest(
            .sotw,
            type: response.type,
            versionInfo: response.versionInfo,
            nonce: response.nonce,
            names: list
        )
    }

    private mutating func endpointsRequest(
        for newClusters: [NameTable.Index],
        digest: UInt64,
        names: inout SharedNames
    ) -> FramedRequest {
        self.holdings[ResourceType.endpoints.rawValue].wasAsked = true
        return switch self.variant {
        case .delta: FramedRequest(.delta, type: .endpoints, names: names.clusterList(newClusters, digest: digest))
        case .sotw:
            FramedRequest(
                .sotw,
                type: .endpoints,
                versionInfo: self.lastEndpoints.versionInfo,
                nonce: self.lastEndpoints.nonce,
                names: self.allClusters(&names)
            )
        }
    }

    private func allClusters(_ names: inout SharedNames) -> EncodedNames {
        names.clusterList(self.holdings[ResourceType.cluster.rawValue].indices, digest: self.clusterDigest)
    }
}
