// SPDX-License-Identifier: Apache-2.0

import Catalog

extension Format where Value == Duration {
    static func duration(zeroAllowed: Bool = false, atLeast minimum: Duration = .zero) -> Format {
        Format(schema: ["type": "string", "pattern": .string("^\(TextSyntax.durationPattern)$")]) { node, faults in
            guard case .scalar(let scalar) = node.content, scalar.meaning == .string else {
                faults.wrongType(node, expected: "a duration", cure: "write a number and a unit, such as 10s or 250ms")
                return nil
            }
            guard let duration = TextSyntax.duration(scalar.text) else {
                faults.report(
                    .badFormat,
                    line: node.line,
                    "\(node.label) must be a duration, which \(scalar.text.excerpt) is not",
                    cure: "write whole numbers with the units h, m, s and ms, such as 10s, 250ms or 1m30s"
                )
                return nil
            }
            guard duration <= TextSyntax.maximumDuration else {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must be at most 24h and is \(scalar.text)",
                    cure: zeroAllowed ? "write a shorter duration, or 0s for none" : "write a shorter duration"
                )
                return nil
            }
            guard zeroAllowed || duration > .zero else {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must be more than zero",
                    cure: "write a longer duration, or leave the field out"
                )
                return nil
            }
            guard duration >= minimum else {
                faults.report(
                    .outOfRange,
                    line: node.line,
                    "\(node.label) must be at least \(minimum.components.seconds)s and is \(scalar.text)",
                    cure: "write a longer duration"
                )
                return nil
            }
            return duration
        }
    }
}
