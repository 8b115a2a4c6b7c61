// SPDX-License-Identifier: Apache-2.0

final class Bad: @unchecked Sendable {}
