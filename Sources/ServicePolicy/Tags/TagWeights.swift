// SPDX-License-Identifier: Apache-2.0

package import Catalog

extension TagReader {
    /// What the tags of an instance say of its weight, before it comes to the proxies. Of several, the smallest. Nil:
    /// nothing, and what the source said counts.
    package func weight(of instance: Instance) -> Weight? {
        self.statedWeight(of: instance)?.weight
    }

    /// The service with the weights that its tags say. Untouched if they say nothing, which is the rule.
    package func weighted(_ service: Service) -> Service {
        let stated = service.instances.map(self.statedWeight)
        guard stated.contains(where: { $0 != nil }) else { return service }
        // Where some are weighed on envoy-control's scale, the others are, too, unless the source says something of
        // them.
        let others = stated.lazy.compactMap { $0?.others }.first
        let instances = zip(service.instances, stated).map { instance, stated in
            var instance = instance
            if let weight = stated?.weight ?? (instance.weight == .default ? others : nil) {
                instance.weight = weight
            }
            return instance
        }
        return Service(name: service.name, instances: instances, origin: service.origin)
    }

    private func statedWeight(of instance: Instance) -> (weight: Weight, others: Weight?)? {
        for dialect in self.dialects {
            var smallest: (weight: Weight, others: Weight?)?
            for tag in instance.tags {
                let stated: (weight: Weight, others: Weight?)? =
                    switch dialect.weight(tag) {
                    case .weight(let weight): (weight, nil)
                    case .relative(let weight, let others): (weight, others)
                    case .bad, nil: nil
                    }
                if let stated, stated.weight.value < smallest?.weight.value ?? .max { smallest = stated }
            }
            if let smallest { return smallest }
        }
        return nil
    }
}
