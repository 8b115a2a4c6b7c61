// SPDX-License-Identifier: Apache-2.0

// What the Glibc module leaves out. See https://man7.org/linux/man-pages/man7/epoll.7.html
#include <sys/epoll.h>
