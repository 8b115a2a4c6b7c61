// SPDX-License-Identifier: Apache-2.0

import Routing

/// When to try a request again, and how often.
enum RetryFormats {
    static let retry = Format<Retry>.object(
        Field("attempts", .integer(in: Retry.attemptsRange), .required, "How many times beyond the first."),
        Field("codes", .list(of: .integer(in: 400...599)), "Response codes to retry on."),
        Field(
            "retryOn",
            .list(of: .choice(of: Retry.conditions.sorted())),
            .default(["connect-failure", "refused-stream", "reset-before-request"]),
            "Conditions to retry on, in Envoy's words (x-envoy-retry-on)."
        ),
        Field("perTryTimeout", .duration(), "For each try. Default: the rule's timeout."),
        Field("backoff", .duration(), .default("25ms"), "Base of the exponential back-off between tries.")
    ) { _, _, attempts, codes, conditions, perTryTimeout, backoff in
        guard let attempts else { return nil }
        var retry = Retry(attempts: attempts, codes: codes ?? [], perTryTimeout: perTryTimeout, backoff: backoff)
        retry.retryOn = conditions ?? retry.retryOn
        return retry
    }
}
