// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// Reads what the instances of one service say by their tags.
package struct TagReader: Sendable {
    /// Of two that speak of one thing, the first is believed.
    let dialects: [any TagDialect]

    package init(dialects: [any TagDialect]) {
        self.dialects = dialects
    }

    package init(_ options: TagOptions) {
        self.init(dialects: [SignalboxTags(prefix: options.prefix), EnvoyControlTags()])
    }

    /// What `read` depends on: as long as it is equal, `read` need not be called again.
    package func input(of service: Service) -> TagInput {
        var counts: [TagInput.Speaker: Int] = [:]
        var badWeights: Set<TagFault> = []
        for instance in service.instances {
            var tags: [String] = []
            var weights: [Int: [String: Weight]] = [:]
            for tag in instance.tags {
                guard let index = self.dialects.firstIndex(where: { $0.isRelevant(tag) }) else { continue }
                switch self.dialects[index].weight(tag) {
                case nil: tags.append(tag)
                case .bad(let fault) where badWeights.count < ServiceTags.maximumFaults: badWeights.insert(fault)
                case .bad: break
                case .weight(let weight), .relative(let weight, _): weights[index, default: [:]][tag] = weight
                }
            }
            // Those of two dialects may be meant for two readers.
            for stated in weights.values where Set(stated.values).count > 1 {
                guard badWeights.count < ServiceTags.maximumFaults else { break }
                badWeights.insert(.severalWeights(stated.keys.sorted()))
            }
            counts[TagInput.Speaker(tags: tags.sorted(), isCanary: instance.isCanary), default: 0] += 1
        }
        return TagInput(service: service.name, origin: service.origin, counts: counts, badWeights: badWeights)
    }

    package func read(_ service: Service) -> ServiceTags {
        self.read(self.input(of: service))
    }

    package func read(_ input: TagInput) -> ServiceTags {
        var election = TagElection()
        for (speaker, count) in input.speakers {
            for dialect in self.dialects {
                let spoken = speaker.tags.filter(dialect.isRelevant)
                guard !spoken.isEmpty else { continue }
                election.add(dialect.read(spoken, of: input.service), isCanary: speaker.isCanary, count: count)
            }
        }
        return election.result(of: input, faults: input.badWeights + input.omission)
    }
}

/// The tags of a service, as far as they matter for its routes.
package struct TagInput: Hashable, Sendable {
    /// Instances that say the same.
    struct Speaker: Hashable {
        /// In their order.
        var tags: [String]
        var isCanary: Bool
    }

    /// So many different sets of tags of one service are read, those of the most instances.
    static let maximumSpeakers = 64

    let service: ServiceName
    let origin: Origin
    private let counts: [Speaker: Int]
    private let faults: Set<TagFault>

    init(service: ServiceName, origin: Origin, counts: [Speaker: Int], badWeights: Set<TagFault>) {
        self.service = service
        self.origin = origin
        self.counts = counts
        self.faults = badWeights
    }

    /// Whether there is an instance that is no canary.
    var hasLasting: Bool { self.counts.keys.contains { !$0.isCanary } }

    var badWeights: [TagFault] { Array(self.faults) }

    var speakers: [(Speaker, Int)] {
        let sorted = self.counts.filter { !$0.key.tags.isEmpty }.sorted { left, right in
            if left.value != right.value { return left.value > right.value }
            if left.key.isCanary != right.key.isCanary { return right.key.isCanary }
            return left.key.tags.lexicographicallyPrecedes(right.key.tags)
        }
        return sorted.prefix(Self.maximumSpeakers).map { ($0.key, $0.value) }
    }

    var omission: [TagFault] {
        let count = self.counts.count { !$0.key.tags.isEmpty }
        guard count > Self.maximumSpeakers else { return [] }
        return [
            TagFault(
                .tooMany,
                cost: .nothing,
                "the instances have \(count) different sets of tags of ours; only the \(Self.maximumSpeakers) that "
                    + "most of them have are read",
                cure: "give all instances of a service the same tags"
            )
        ]
    }
}

extension TagFault {
    fileprivate static func severalWeights(_ tags: [String]) -> TagFault {
        BadTag(
            code: .badCombination,
            problem: "they give one instance different weights, of which the smallest counts",
            cure: "keep one of them"
        )
        .fault(of: tags, cost: .nothing)
    }
}
