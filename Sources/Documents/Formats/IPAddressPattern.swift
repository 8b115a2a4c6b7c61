// SPDX-License-Identifier: Apache-2.0

import Catalog

extension IPAddress {
    /// A regular expression for the JSON Schema.
    static let version4Pattern = "(\(octet)\\.){3}\(octet)"
    private static let octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
}
