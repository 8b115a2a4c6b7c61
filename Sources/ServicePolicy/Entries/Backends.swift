// SPDX-License-Identifier: Apache-2.0

import Catalog
import Routing

enum Backends {
    /// The shares of several backends in place of the backends, with weights in the same proportions.
    ///
    /// Weights of which none is divided stay as they are. Others are multiplied, so that a hundredth of a per cent is still a
    /// whole number, as far as the largest allows.
    static func combined(_ parts: [(backend: Route.Backend, shares: [Share])]) -> [Route.Backend] {
        var backends: [Route.Backend] = []
        var weights: [Double] = []
        var places: [Key: Int] = [:]
        for (backend, shares) in parts {
            for share in shares {
                var result = backend
                result.service = share.target.service
                result.subset = share.target.subset
                result.requestHeaders = backend.requestHeaders.merging(share.requestHeaders)
                result.responseHeaders = backend.responseHeaders.merging(share.responseHeaders)
                result.origin = share.origin ?? backend.origin
                let weight = Double(backend.weight) * share.fraction
                // Only of one backend: what a document says twice stays twice.
                let key = Key(backend: backend, result)
                if shares.count > 1, let place = places[key] {
                    weights[place] += weight
                } else {
                    places[key] = backends.count
                    backends.append(result)
                    weights.append(weight)
                }
            }
        }
        for (index, weight) in Self.whole(weights).enumerated() { backends[index].weight = weight }
        return backends
    }

    private struct Key: Hashable {
        let backend: Route.Backend
        let target: TargetID
        let requestHeaders: HeaderModifier
        let responseHeaders: HeaderModifier

        init(backend: Route.Backend, _ result: Route.Backend) {
            self.backend = backend
            self.target = result.target
            self.requestHeaders = result.requestHeaders
            self.responseHeaders = result.responseHeaders
        }
    }

    private static func whole(_ weights: [Double]) -> [Int] {
        let limit = Double(Route.Backend.weightRange.upperBound)
        let largest = weights.max() ?? 0
        for factor in [1, 100, 10_000, 100_000_000] as [Double] where largest * factor <= limit {
            let scaled = weights.map { $0 * factor }
            if scaled.allSatisfy({ abs($0 - $0.rounded()) < 1e-6 }) { return scaled.map { Int($0.rounded()) } }
        }
        // Of what is more than nothing nothing becomes nothing.
        return weights.map { $0 == 0 ? 0 : max(1, Int(($0 / largest * limit).rounded())) }
    }
}
