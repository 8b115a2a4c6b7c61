// SPDX-License-Identifier: Apache-2.0

/// What is other in a service than it was, as the guard sees it.
struct ServiceChange: Sendable {
    let name: ServiceName
    /// Instances that count.
    private(set) var present = 0
    /// Instances that counted and that are not there any more, as they were. One that is critical at another place, where
    /// nothing was routable, has left its own.
    private(set) var removed: [Instance] = []
    /// Instances that counted and are critical now, as they were.
    private(set) var becameCritical: [Instance] = []
    /// Instances that were missing, and of which the source says something else now than that they are critical, here or
    /// elsewhere.
    private(set) var returned: [InstanceID] = []
    /// Instances that are missing and said to be critical where they were, as they are now.
    private(set) var critical: [Instance] = []
    /// Instances that are neither the same as before nor back where they were.
    private(set) var newcomers: [Instance] = []

    init(
        _ name: ServiceName,
        from record: ServiceRecord?,
        to service: Service?,
        stopped: Set<InstanceID>,
        rules: CatalogGuard.SourceRules
    ) {
        self.name = name
        let before = record?.said?.instances ?? []
        let after = service?.instances ?? []
        var index = 0
        for instance in after {
            while index < before.count, before[index].id < instance.id {
                self.left(before[index], stopped, rules)
                index += 1
            }
            var old: Instance?
            if index < before.count, before[index].id == instance.id {
                old = before[index]
                index += 1
            }
            self.compare(old, instance, missing: record?.missing[instance.id], stopped, rules)
        }
        for instance in before[index...] {
            self.left(instance, stopped, rules)
        }
    }

    /// Whether it has an instance that is to stay. One that drains is as good as gone.
    var isServed: Bool { self.present > 0 }
    /// Whether the last instances that count were removed.
    var isLast: Bool { !self.isServed && !self.removed.isEmpty }

    private mutating func left(_ old: Instance, _ stopped: Set<InstanceID>, _ rules: CatalogGuard.SourceRules) {
        guard !rules.isOff, old.isGuarded, !stopped.contains(old.id) else { return }
        self.removed.append(old)
    }

    private mutating func compare(
        _ old: Instance?,
        _ new: Instance,
        missing: ServiceRecord.Missing?,
        _ stopped: Set<InstanceID>,
        _ rules: CatalogGuard.SourceRules
    ) {
        if new.isGuarded { self.present += 1 }
        let holdsCritical = !rules.isOff && rules.holdsCritical
        let wasThere = old.map(new.isAt) ?? false
        if let missing {
            if new.isAt(missing.instance) {
                if holdsCritical, new.isMerelyCritical {
                    self.critical.append(new)
                } else {
                    self.returned.append(new.id)
                }
            } else {
                // By itself, one that is critical elsewhere is no reason to send nothing to where it was.
                if !new.isMerelyCritical { self.returned.append(new.id) }
                if !wasThere { self.newcomers.append(new) }
            }
        } else if let old, wasThere {
            if holdsCritical, new.isMerelyCritical, old.isGuarded { self.becameCritical.append(old) }
        } else {
            if let old, new.isMerelyCritical { self.left(old, stopped, rules) }
            self.newcomers.append(new)
        }
    }
}
