// SPDX-License-Identifier: Apache-2.0

import Glibc
import XDSServer

/// A connection that never blocks: what the kernel does not take now waits until `writeRest`.
final class Socket {
    /// An address that the kernel understands: to look a name up costs more than all else that a connection does.
    struct Address {
        private var storage = sockaddr_storage()
        private let length: socklen_t
        fileprivate var family: CInt { CInt(self.storage.ss_family) }
        fileprivate var isUnix: Bool { self.family == AF_UNIX }
    }

    private static let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

    let descriptor: CInt
    private var rest: [UInt8] = []
    private var restBegin = 0

    /// Waits until the connection is there.
    init(to address: Address, timeout: Duration) throws(LoadFailure) {
        self.descriptor = socket(address.family, Self.kind, 0)
        guard self.descriptor >= 0 else { throw LoadFailure("no socket: \(Self.problem)") }
        if !address.isUnix { self.set(CInt(IPPROTO_TCP), TCP_NODELAY) }
        var left = CInt(clamping: Int64(timeout / .milliseconds(1)))
        while address.withPointer({ connect(self.descriptor, $0, $1) }) != 0 {
            if errno == EAGAIN, left > 0 {
                // A Unix socket whose queue is full: nothing is under way.
                left -= 1
                _ = poll(nil, 0, 1)
                continue
            }
            var wait = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
            if errno == EINPROGRESS, poll(&wait, 1, left) == 1, self.error == 0 { return }
            throw LoadFailure("cannot connect: \(Self.problem)")
        }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Whether something waits to be written.
    var isBehind: Bool { self.restBegin < self.rest.count }

    private static var problem: String { String(cString: strerror(errno)) }

    /// The connection's own error, which is `errno` then.
    private var error: CInt {
        var (error, size) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
        getsockopt(self.descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        errno = error
        return error
    }

    private func set(_ level: CInt, _ option: CInt) {
        var on: CInt = 1
        setsockopt(self.descriptor, level, option, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    /// - Returns: how many bytes came; nil if none are there now. 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LoadFailure) -> Int? {
        let count = recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw LoadFailure("the connection broke: \(Self.problem)") }
        return nil
    }

    /// Writes `first` and, behind it, `second`.
    func write(_ first: [UInt8], _ second: [UInt8] = []) throws(LoadFailure) {
        if self.isBehind {
            self.rest += first
            self.rest += second
            return
        }
        var written = try self.send(first, second)
        for piece in [first, second] {
            if written < piece.count { self.rest += piece[written...] }
            written = max(0, written - piece.count)
        }
    }

    func writeRest() throws(LoadFailure) {
        guard self.isBehind else { return }
        self.restBegin += try self.send(Array(self.rest[self.restBegin...]), [])
        guard !self.isBehind else { return }
        self.rest = []
        self.restBegin = 0
    }

    private func send(_ first: [UInt8], _ second: [UInt8]) throws(LoadFailure) -> Int {
        let count = first.withUnsafeBytes { first in
            guard !second.isEmpty else {
                return Glibc.send(self.descriptor, first.baseAddress, first.count, CInt(MSG_NOSIGNAL))
            }
            return second.withUnsafeBytes { second in
                withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { pieces in
                    pieces[0] = iovec(iov_base: .init(mutating: first.baseAddress), iov_len: first.count)
                    pieces[1] = iovec(iov_base: .init(mutating: second.baseAddress), iov_len: second.count)
                    var message = msghdr()
                    message.msg_iov = pieces.baseAddress
                    message.msg_iovlen = 2
                    return sendmsg(self.descriptor, &message, CInt(MSG_NOSIGNAL))
                }
            }
        }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw LoadFailure("the connection broke: \(Self.problem)") }
        return 0
    }
}

extension Socket.Address {
    /// Looks a name up, so once.
    init(_ address: NetworkAddress) throws(LoadFailure) {
        switch address {
        case .ipv4(let host, let port), .ipv6(let host, let port), .name(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            let result = getaddrinfo(host, "\(port)", &hints, &found)
            defer { if let found { freeaddrinfo(found) } }
            guard result == 0, let found else { throw LoadFailure("\(host): \(String(cString: gai_strerror(result)))") }
            self.length = found.pointee.ai_addrlen
            withUnsafeMutableBytes(of: &self.storage) {
                $0.copyMemory(
                    from: UnsafeRawBufferPointer(start: found.pointee.ai_addr, count: Int(found.pointee.ai_addrlen))
                )
            }
        case .unix(let path):
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let room = MemoryLayout.size(ofValue: name.sun_path)
            guard path.utf8.count < room else { throw LoadFailure("\(path): longer than \(room - 1) bytes") }
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
            self.length = socklen_t(MemoryLayout<sockaddr_un>.size)
            withUnsafeMutableBytes(of: &self.storage) { storage in
                withUnsafeBytes(of: name) { storage.copyMemory(from: $0) }
            }
        }
    }

    fileprivate func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: self.storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, self.length) }
        }
    }
}
