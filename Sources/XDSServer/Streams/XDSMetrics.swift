// SPDX-License-Identifier: Apache-2.0

import Metrics
import XDSProtocol

/// The metrics of the xDS server. Labels come from closed sets; every series is there from the start, at 0, so that a rate
/// over it is never missing.
final class XDSMetrics: Sendable {
    private struct PerType: Sendable {
        let requests: [StreamStateMachine.RequestKind: Counter]
        let responses: Counter
        let resourcesSent: Counter
        let rejections: Counter

        init(_ type: String) {
            var requests: [StreamStateMachine.RequestKind: Counter] = [:]
            for kind in StreamStateMachine.RequestKind.allCases {
                requests[kind] = Counter(
                    label: "signalbox_xds_requests_total",
                    dimensions: [("type", type), ("kind", kind.rawValue)]
                )
            }
            self.requests = requests
            self.responses = Counter(label: "signalbox_xds_responses_total", dimensions: [("type", type)])
            self.resourcesSent = Counter(label: "signalbox_xds_resources_sent_total", dimensions: [("type", type)])
            self.rejections = Counter(label: "signalbox_xds_nack_total", dimensions: [("type", type)])
        }
    }

    private let perType: [String: PerType]
    private let sotwStreams = Meter(label: "signalbox_xds_streams", dimensions: [("variant", "sotw")])
    private let deltaStreams = Meter(label: "signalbox_xds_streams", dimensions: [("variant", "delta")])

    init() {
        var perType: [String: PerType] = [:]
        for type in TypeURL.known + [.other("")] { perType[type.shortName] = PerType(type.shortName) }
        self.perType = perType
        self.sotwStreams.set(0)
        self.deltaStreams.set(0)
    }

    func streamOpened(_ variant: StreamStateMachine.Variant) {
        self.streams(variant).increment()
    }

    func streamClosed(_ variant: StreamStateMachine.Variant) {
        self.streams(variant).decrement()
    }

    private func streams(_ variant: StreamStateMachine.Variant) -> Meter {
        switch variant {
        case .sotw: self.sotwStreams
        case .delta: self.deltaStreams
        }
    }

    func received(_ type: TypeURL, _ kind: StreamStateMachine.RequestKind) {
        self.perType[type.shortName]?.requests[kind]?.increment()
    }

    func sent(_ response: Response) {
        let metrics = self.perType[response.type.shortName]
        metrics?.responses.increment()
        metrics?.resourcesSent.increment(by: response.resources.count)
    }

    func rejected(_ type: TypeURL) {
        self.perType[type.shortName]?.rejections.increment()
    }
}
