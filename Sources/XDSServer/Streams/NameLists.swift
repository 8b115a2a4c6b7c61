// SPDX-License-Identifier: Apache-2.0

import Synchronization
import XDSProtocol

/// The long lists of names that were asked for last, so that a herd of proxies that ask for the same has them read, and
/// keeps them, once.
final class NameLists: Sendable {
    /// A shorter list is not worth a look.
    private static let leastBytes = 512
    /// A longer one is kept by its stream alone.
    private static let mostBytes = 1 << 19
    /// They are looked through one after the other.
    private static let kept = 4

    /// The newest is the last.
    private let lists = Mutex<[NameList]>([])

    /// Nil if they are not worth to be shared.
    func list(of message: RequestMessage) throws -> NameList? {
        let bytes = message.namesBytes
        guard (Self.leastBytes...Self.mostBytes).contains(bytes.count) else { return nil }
        if let known = self.lists.withLock({ $0 }).last(where: { $0.isWritten(as: bytes) }) { return known }
        let list = try message.nameList()
        self.lists.withLock { lists in
            if lists.count >= Self.kept { lists.removeFirst() }
            lists.append(list)
        }
        return list
    }
}
