// SPDX-License-Identifier: Apache-2.0
//
// What the kernel and a load generator alone cost: a server that knows nothing. It reads what `signalbox bench load` sends,
// looks at the first bytes of a request, and writes bytes that were made beforehand, the same to everybody: resources as
// many and as large as Signalbox's, with nothing in them but a name and a version. No control plane on sockets can be faster.
//
// Two threads, each with an epoll; the first also takes POST /touch?service=K. HTTP/2 as far as the load generator needs it:
// its windows of 16 MiB are never used up, and its own are as large as they can be. No other client is served.
//
// usage: floor --services M --endpoints E --addr HOST:PORT --admin HOST:PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS = 2, TYPES = 4, READ = 1 << 16, FRAME = 1 << 14, HEAD = 512, WAITING = 8 };
enum variant { DELTA, SOTW, UNKNOWN };

static const char *const urls[TYPES] = {
    "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    "type.googleapis.com/envoy.config.listener.v3.Listener",
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
};

struct bytes {
    char *at;
    size_t count, room;
};

static void append(struct bytes *to, const void *from, size_t count) {
    if (to->count + count > to->room) {
        to->room = 2 * (to->count + count);
        if (!(to->at = realloc(to->at, to->room))) abort();
    }
    if (from) memcpy(to->at + to->count, from, count);
    else memset(to->at + to->count, 'x', count);
    to->count += count;
}

// A length-delimited field of protobuf.
static void field(struct bytes *to, int number, const void *from, size_t count) {
    unsigned char head[8] = {(unsigned char)(number << 3 | 2)};
    size_t used = 1, rest = count;
    for (; rest >= 0x80; rest >>= 7) head[used++] = (unsigned char)(rest | 0x80);
    head[used++] = (unsigned char)rest;
    append(to, head, used);
    append(to, from, count);
}

static void text(struct bytes *to, int number, const char *from) { field(to, number, from, strlen(from)); }

static void frame(struct bytes *to, int kind, int flags, uint32_t stream, const void *from, size_t count) {
    uint32_t first = htonl((uint32_t)count << 8 | (uint32_t)kind), last = htonl(stream);
    append(to, &first, 4);
    append(to, &(char){(char)flags}, 1);
    append(to, &last, 4);
    if (count) append(to, from, count);
}

// gRPC's prefix and DATA frames around a message.
static struct bytes framed(struct bytes message) {
    struct bytes whole = {0}, frames = {0};
    uint32_t count = htonl((uint32_t)message.count);
    append(&whole, "", 1);
    append(&whole, &count, 4);
    append(&whole, message.at, message.count);
    for (size_t at = 0; at < whole.count; at += FRAME) {
        size_t part = whole.count - at < FRAME ? whole.count - at : FRAME;
        frame(&frames, 0, 0, 1, whole.at + at, part);
    }
    free(whole.at);
    free(message.at);
    return frames;
}

static int services = 100, endpoints = 10;
// Generations of the endpoints of each service.
static unsigned *generations;

// One resource of a response. The paddings are what Signalbox's resources have beside a name.
static void resource(struct bytes *to, enum variant variant, int type, const char *name, unsigned generation) {
    const int padding[2][TYPES] = {{130, 17 * endpoints + 2, 300, 40}, {64, 17 * endpoints - 1, 300, 40}};
    char version[33];
    struct bytes content = {0}, any = {0}, entry = {0};
    text(&content, 1, name);
    field(&content, 3, NULL, (size_t)padding[variant][type]);
    snprintf(version, sizeof version, "%032x", generation);
    // State of the world: what tells one content from another.
    if (variant == SOTW) text(&content, 14, version);
    text(&any, 1, urls[type]);
    field(&any, 2, content.at, content.count);
    if (variant == SOTW) {
        field(to, 2, any.at, any.count);
    } else {
        text(&entry, 3, name);
        text(&entry, 1, version);
        field(&entry, 2, any.at, any.count);
        field(to, 2, entry.at, entry.count);
    }
    free(content.at);
    free(any.at);
    free(entry.at);
}

// - only: of the services this one; -1: all.
static struct bytes response(enum variant variant, int type, int only) {
    static unsigned count;
    struct bytes message = {0};
    char name[32], nonce[33];
    snprintf(nonce, sizeof nonce, "%032x", ++count);
    text(&message, 1, nonce);
    if (type >= 2) {
        resource(&message, variant, type, type == 2 ? "listener" : "routes", 0);
    } else {
        for (int service = only < 0 ? 0 : only; service < (only < 0 ? services : only + 1); service++) {
            snprintf(name, sizeof name, "service-%05d", service);
            resource(&message, variant, type, name, type == 1 ? generations[service] : 0);
        }
    }
    text(&message, 4, urls[type]);
    text(&message, 5, nonce);
    return framed(message);
}

// What a connection is sent at first, by variant and type. It begins with the clusters, and before them, in one piece, the
// settings, the acknowledgement of the client's and the headers.
static struct bytes answers[2][TYPES];
// The newest change, by variant. Freed two changes later: by then nobody waits for it.
static _Atomic(struct bytes *) news[2];

struct connection {
    int fd, admin, preface;
    enum variant variant;
    int asked;
    // The frame that is read: its head, and what is missing of it.
    unsigned char head[9];
    size_t headCount, frameLeft;
    // The message that is read: its prefix, its first bytes, and what is missing of it.
    unsigned char prefix[5], first[HEAD];
    size_t prefixCount, firstCount, messageLeft;
    // What could not be written yet.
    struct bytes waiting[WAITING];
    size_t waitingCount, written;
    struct connection *next;
};

static struct loop {
    pthread_t thread;
    int epoll, wake;
    struct connection *all;
    pthread_mutex_t lock;
} loops[THREADS];
static int listeners[2];

static void watch(struct loop *loop, struct connection *it, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (it->waitingCount ? EPOLLOUT : 0), .data.ptr = it};
    if (epoll_ctl(loop->epoll, operation, it->fd, &event)) perror("epoll_ctl");
}

static void writeOut(struct loop *loop, struct connection *it, struct bytes piece) {
    if (it->waitingCount == 0) {
        ssize_t count = write(it->fd, piece.at, piece.count);
        if (count == (ssize_t)piece.count || (count < 0 && errno != EAGAIN)) return;
        it->written = count < 0 ? 0 : (size_t)count;
    }
    if (it->waitingCount == WAITING) abort();
    it->waiting[it->waitingCount++] = piece;
    if (it->waitingCount == 1) watch(loop, it, EPOLL_CTL_MOD);
}

static void writeRest(struct loop *loop, struct connection *it) {
    while (it->waitingCount) {
        struct bytes *piece = it->waiting;
        ssize_t count = write(it->fd, piece->at + it->written, piece->count - it->written);
        if (count < 0) return;
        it->written += (size_t)count;
        if (it->written < piece->count) return;
        it->written = 0;
        memmove(piece, piece + 1, --it->waitingCount * sizeof *piece);
    }
    watch(loop, it, EPOLL_CTL_MOD);
}

// A request came whole. Of one that repeats thousands of names only the beginning is looked at: they come last.
static void request(struct loop *loop, struct connection *it) {
    const unsigned char *at = it->first, *end = it->first + it->firstCount;
    if (it->variant == UNKNOWN) it->variant = *at == (1 << 3 | 2) ? DELTA : SOTW;
    int typeField = it->variant == DELTA ? 2 : 4;
    while (at < end) {
        int number = *at++ >> 3;
        size_t count = 0;
        for (int shift = 0; at < end; shift += 7) {
            count |= (size_t)(*at & 0x7f) << shift;
            if (*at++ < 0x80) break;
        }
        if (number == typeField) {
            for (int type = 0; type < TYPES; type++) {
                if (it->asked & 1 << type || count != strlen(urls[type]) || memcmp(at, urls[type], count)) continue;
                it->asked |= 1 << type;
                writeOut(loop, it, answers[it->variant][type]);
            }
            return;
        }
        at += count;
    }
}

static size_t least(size_t left, size_t right) { return left < right ? left : right; }

static size_t take(unsigned char *to, size_t *have, size_t want, const unsigned char *from, size_t count) {
    count = least(want - *have, count);
    memcpy(to + *have, from, count);
    *have += count;
    return count;
}

// Content of DATA frames: messages.
static void content(struct loop *loop, struct connection *it, const unsigned char *at, size_t count) {
    while (count) {
        if (it->prefixCount < 5) {
            size_t used = take(it->prefix, &it->prefixCount, 5, at, count);
            at += used, count -= used;
            if (it->prefixCount < 5) return;
            uint32_t length;
            memcpy(&length, it->prefix + 1, 4);
            it->messageLeft = ntohl(length), it->firstCount = 0;
        }
        size_t part = least(it->messageLeft, count), kept = least(part, HEAD - it->firstCount);
        memcpy(it->first + it->firstCount, at, kept);
        it->firstCount += kept, it->messageLeft -= part, at += part, count -= part;
        if (it->messageLeft) return;
        it->prefixCount = 0;
        request(loop, it);
    }
}

static void received(struct loop *loop, struct connection *it, const unsigned char *at, size_t count) {
    while (count) {
        if (it->preface) {
            size_t used = least((size_t)it->preface, count);
            at += used, count -= used, it->preface -= (int)used;
            continue;
        }
        if (it->headCount < 9) {
            size_t used = take(it->head, &it->headCount, 9, at, count);
            at += used, count -= used;
            if (it->headCount < 9) return;
            it->frameLeft = (size_t)it->head[0] << 16 | (size_t)it->head[1] << 8 | it->head[2];
        }
        size_t part = least(it->frameLeft, count);
        if (it->head[3] == 0) content(loop, it, at, part);
        at += part, count -= part, it->frameLeft -= part;
        if (it->frameLeft) return;
        it->headCount = 0;
    }
}

static void push(struct loop *loop) {
    struct bytes *changes[2] = {atomic_load(&news[0]), atomic_load(&news[1])};
    pthread_mutex_lock(&loop->lock);
    for (struct connection *it = loop->all; it; it = it->next)
        if (it->asked & 1 << 1) writeOut(loop, it, *changes[it->variant]);
    pthread_mutex_unlock(&loop->lock);
}

static void touch(int service) {
    static struct bytes *old[2];
    generations[service]++;
    for (int variant = 0; variant < 2; variant++) {
        struct bytes *change = malloc(sizeof *change);
        *change = response((enum variant)variant, 1, service);
        if (old[variant]) free(old[variant]->at), free(old[variant]);
        old[variant] = atomic_exchange(&news[variant], change);
    }
    uint64_t one = 1;
    for (int other = 1; other < THREADS; other++)
        if (write(loops[other].wake, &one, sizeof one) < 0) perror("write");
}

static void admin(struct loop *loop, struct connection *it, const char *at, size_t count) {
    static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";
    const char *equals = memchr(at, '=', count);
    int service = equals ? atoi(equals + 1) : -1;
    int isTouch = service >= 0 && service < services;
    if (isTouch) touch(service);
    if (write(it->fd, answer, sizeof answer - 1) < 0) perror("write");
    if (isTouch) push(loop);
}

static void closed(struct loop *loop, struct connection *it) {
    pthread_mutex_lock(&loop->lock);
    for (struct connection **link = &loop->all; *link; link = &(*link)->next)
        if (*link == it) {
            *link = it->next;
            break;
        }
    pthread_mutex_unlock(&loop->lock);
    close(it->fd);
    free(it);
}

static void readable(struct loop *loop, struct connection *it) {
    static _Thread_local unsigned char buffer[READ];
    ssize_t count;
    do {
        count = read(it->fd, buffer, READ);
        if (count <= 0 && !(count < 0 && errno == EAGAIN)) return closed(loop, it);
        if (count <= 0) return;
        if (it->admin) admin(loop, it, (const char *)buffer, (size_t)count);
        else received(loop, it, buffer, (size_t)count);
    } while (count == READ);
}

static void accepted(int listener) {
    static unsigned turn;
    int fd, isAdmin = listener == listeners[1];
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct loop *loop = &loops[isAdmin ? 0 : turn++ % THREADS];
        struct connection *it = calloc(1, sizeof *it);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        it->fd = fd, it->admin = isAdmin, it->preface = 24, it->variant = UNKNOWN;
        pthread_mutex_lock(&loop->lock);
        if (!isAdmin) it->next = loop->all, loop->all = it;
        pthread_mutex_unlock(&loop->lock);
        watch(loop, it, EPOLL_CTL_ADD);
    }
}

static void *run(void *argument) {
    struct loop *loop = argument;
    struct epoll_event events[256];
    for (;;) {
        int count = epoll_wait(loop->epoll, events, 256, -1);
        for (int index = 0; index < count; index++) {
            void *what = events[index].data.ptr;
            if (what == &listeners[0] || what == &listeners[1]) {
                accepted(*(int *)what);
            } else if (what == loop) {
                uint64_t number;
                if (read(loop->wake, &number, sizeof number) > 0) push(loop);
            } else {
                if (events[index].events & EPOLLOUT) writeRest(loop, what);
                if (events[index].events & ~(uint32_t)EPOLLOUT) readable(loop, what);
            }
        }
    }
    return NULL;
}

static int listening(char *address) {
    char *colon = strrchr(address, ':');
    if (!colon) exit(2);
    *colon = 0;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    inet_pton(AF_INET, address, &name.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&name, sizeof name) || listen(fd, 4096)) perror(address), exit(1);
    return fd;
}

int main(int count, char **arguments) {
    char *addresses[2] = {NULL, NULL};
    for (int at = 1; at + 1 < count; at += 2) {
        if (!strcmp(arguments[at], "--services")) services = atoi(arguments[at + 1]);
        if (!strcmp(arguments[at], "--endpoints")) endpoints = atoi(arguments[at + 1]);
        if (!strcmp(arguments[at], "--addr")) addresses[0] = arguments[at + 1];
        if (!strcmp(arguments[at], "--admin")) addresses[1] = arguments[at + 1];
    }
    if (!addresses[0] || !addresses[1]) return 2;
    generations = calloc((size_t)services, sizeof *generations);
    // SETTINGS with the largest window and frames of 64 kB, the connection's window, and `:status: 200`.
    static const unsigned char settings[] = {0, 4, 0x7f, 0xff, 0xff, 0xff, 0, 5, 0, 1, 0, 0};
    static const unsigned char window[] = {0x7f, 0xff, 0, 0};
    for (int variant = 0; variant < 2; variant++) {
        for (int type = 0; type < TYPES; type++) answers[variant][type] = response((enum variant)variant, type, -1);
        struct bytes first = {0}, clusters = answers[variant][0];
        frame(&first, 4, 0, 0, settings, sizeof settings);
        frame(&first, 4, 1, 0, NULL, 0);
        frame(&first, 8, 0, 0, window, sizeof window);
        frame(&first, 1, 4, 1, "\x88", 1);
        append(&first, clusters.at, clusters.count);
        free(clusters.at);
        answers[variant][0] = first;
    }
    for (int index = 0; index < THREADS; index++) {
        struct loop *loop = &loops[index];
        loop->epoll = epoll_create1(0), loop->wake = eventfd(0, EFD_NONBLOCK);
        pthread_mutex_init(&loop->lock, NULL);
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &(struct epoll_event){.events = EPOLLIN, .data.ptr = loop});
    }
    for (int index = 0; index < 2; index++) {
        listeners[index] = listening(addresses[index]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[index]};
        epoll_ctl(loops[0].epoll, EPOLL_CTL_ADD, listeners[index], &event);
    }
    for (int index = 1; index < THREADS; index++) pthread_create(&loops[index].thread, NULL, run, &loops[index]);
    puts("ready");
    fflush(stdout);
    run(&loops[0]);
}
