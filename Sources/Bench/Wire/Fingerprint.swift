// SPDX-License-Identifier: Apache-2.0

/// A number that tells byte strings apart, never 0, so that 0 can say "nothing". Fast, and good enough among some ten
/// thousand strings that nobody made to collide; no more than that.
func fingerprint(of bytes: UnsafeRawBufferPointer) -> UInt64 {
    let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15
    var hash = UInt64(truncatingIfNeeded: bytes.count) &* multiplier
    func mix(_ word: UInt64) {
        hash = (hash ^ word) &* multiplier
        hash ^= hash >> 32
    }
    var offset = 0
    while offset + 8 <= bytes.count {
        mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        offset += 8
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
        rest = rest << 8 | UInt64(bytes[offset])
        offset += 1
    }
    mix(rest)
    return hash | 1
}
