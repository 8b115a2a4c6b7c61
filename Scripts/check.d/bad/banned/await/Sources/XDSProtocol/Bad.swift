// SPDX-License-Identifier: Apache-2.0

func bad() async {}
