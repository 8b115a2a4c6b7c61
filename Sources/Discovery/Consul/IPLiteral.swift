// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Tells addresses from host names.
enum IPLiteral {
    /// Whether it is an IPv4 or IPv6 address, as `inet_pton` reads them: no zone, no prefix, no port.
    static func isValid(_ text: String) -> Bool {
        guard (2...45).contains(text.utf8.count) else { return false }
        var storage = in6_addr()
        let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        return inet_pton(family, text, &storage) == 1
    }
}
