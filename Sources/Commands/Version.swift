// SPDX-License-Identifier: Apache-2.0

/// Which Signalbox this is, and for which Envoy.
enum Version {
    static let signalbox = "0.1.0"
    /// The release whose API the messages were generated from.
    static let envoyAPI = "1.40.0"

    static let text = "signalbox \(signalbox) (Envoy API \(envoyAPI))"
}
