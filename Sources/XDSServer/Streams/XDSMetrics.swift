// SPDX-License-Identifier: Apache-2.0

import Metrics
import XDSProtocol

/// The metrics of the xDS server. Labels come from closed sets; every series is there from the start, at 0, so that a rate
/// over it is never missing.
final class XDSMetrics: Sendable {
    private struct PerType: Sendable {
        private let subscriptions: Counter
        private let acceptances: Counter
        private let refusals: Counter
        private let stale: Counter
        let responses: Counter
        let resourcesSent: Counter
        let rejections: Counter

        init(_ type: String) {
            let requests = { (kind: StreamStateMachine.RequestKind) in
                Counter(label: "signalbox_xds_requests_total", dimensions: [("type", type), ("kind", kind.rawValue)])
            }
            self.subscriptions = requests(.subscribe)
            self.acceptances = requests(.ack)
            self.refusals = requests(.nack)
            self.stale = requests(.stale)
            self.responses = Counter(label: "signalbox_xds_responses_total", dimensions: [("type", type)])
            self.resourcesSent = Counter(label: "signalbox_xds_resources_sent_total", dimensions: [("type", type)])
            self.rejections = Counter(label: "signalbox_xds_nack_total", dimensions: [("type", type)])
        }

        func requests(_ kind: StreamStateMachine.RequestKind) -> Counter {
            switch kind {
            case .subscribe: self.subscriptions
            case .ack: self.acceptances
            case .nack: self.refusals
            case .stale: self.stale
            }
        }
    }

    /// In the order of `TypeURL.known`, and behind them all others.
    private let perType: [PerType]
    private let sotwStreams = Meter(label: "signalbox_xds_streams", dimensions: [("variant", "sotw")])
    private let deltaStreams = Meter(label: "signalbox_xds_streams", dimensions: [("variant", "delta")])

    init() {
        self.perType = (TypeURL.known + [.other("")]).map { PerType($0.shortName) }
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

    private func metrics(of type: TypeURL) -> PerType {
        self.perType[type.index ?? TypeURL.known.count]
    }

    func received(_ type: TypeURL, _ kind: StreamStateMachine.RequestKind) {
        self.metrics(of: type).requests(kind).increment()
    }

    func sent(_ response: Response) {
        let metrics = self.metrics(of: response.type)
        metrics.responses.increment()
        metrics.resourcesSent.increment(by: response.resources.count)
    }

    func rejected(_ type: TypeURL) {
        self.metrics(of: type).rejections.increment()
    }
}
