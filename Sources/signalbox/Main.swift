// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Commands

@main
enum Main {
    static func main() async {
        await SignalboxCommand.main()
    }
}
