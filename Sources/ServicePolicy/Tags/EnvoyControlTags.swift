// SPDX-License-Identifier: Apache-2.0

package import Catalog

/// The tag `weight:<n>` of envoy-control. Its `canary` is known to `Instance.isCanary`.
/// See https://github.com/allegro/envoy-control
package struct EnvoyControlTags: TagDialect {
    private static let prefix = "weight:"
    /// Of an instance without the tag, if others have it.
    private static let defaultWeight = 50

    package init() {}

    package func isRelevant(_ tag: String) -> Bool {
        tag.utf8.starts(with: Self.prefix.utf8)
    }

    package func weight(_ tag: String) -> TagWeight? {
        guard self.isRelevant(tag) else { return nil }
        do throws(BadTag) {
            let text = String(Substring(tag.utf8.dropFirst(Self.prefix.utf8.count)))
            let weight = Weight(try TagValue.integer(text, in: Weight.range)) ?? .default
            return .relative(weight, others: Weight(Self.defaultWeight) ?? .default)
        } catch {
            return .bad(error.fault(of: tag, cost: .nothing))
        }
    }

    package func read(_ tags: [String], of service: ServiceName) -> TagStatements {
        TagStatements()
    }
}
