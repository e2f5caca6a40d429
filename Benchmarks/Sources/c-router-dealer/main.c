// A plain ROUTER-DEALER pair with the frames of RPC 3's predict request and response: what libzmq alone can do.
//
// The ROUTER keeps a number of batches in flight; the DEALER answers each at once. Frames are copied in and out with
// memcpy; nothing is parsed or checked beyond that. Prints one line of JSON.

#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { FLOAT64 = 3, CONTENT = 1, PREDICT = 0, HEARTBEAT = 2, VERSION = 3 };
static const char output[] = "4950.0";
enum { OUTPUT_BYTES = sizeof output - 1 };

static long inputs = 1, bytes = 800, in_flight = 2;
static double seconds = 3, warm_up = 0.5;
static char endpoint[256];

static void check(int succeeded, const char *what) {
    if (succeeded) return;
    fprintf(stderr, "c-router-dealer: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *allocate(size_t size) {
    void *memory = calloc(1, size);
    check(memory != NULL, "allocating memory");
    return memory;
}

static void send_frame(void *socket, const void *data, size_t size, int flags) {
    zmq_msg_t message;
    check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
    if (size > 0) memcpy(zmq_msg_data(&message), data, size);
    check(zmq_msg_send(&message, socket, flags) >= 0, "zmq_msg_send");
}

// Copies the next frame to `target`; a frame of another length than `size` ends the program.
static void receive_frame(void *socket, zmq_msg_t *message, void *target, size_t size) {
    check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
    if (zmq_msg_size(message) != size) {
        fprintf(stderr, "c-router-dealer: a frame has %zu bytes instead of %zu\n", zmq_msg_size(message), size);
        exit(1);
    }
    if (size > 0) memcpy(target, zmq_msg_data(message), size);
}

// The container's side: answers every request until the context ends.
static void *answer(void *context) {
    void *socket = zmq_socket(context, ZMQ_DEALER);
    check(socket != NULL, "zmq_socket");
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    check(zmq_connect(socket, endpoint) == 0, "zmq_connect");

    // The ROUTER learns the routing id from a heartbeat.
    uint32_t type = HEARTBEAT;
    send_frame(socket, NULL, 0, ZMQ_SNDMORE);
    send_frame(socket, &type, sizeof type, 0);

    size_t request_header_bytes = (size_t)(2 + inputs) * 8, response_header_bytes = (size_t)(1 + inputs) * 8;
    uint64_t *request_header = allocate(request_header_bytes), *response_header = allocate(response_header_bytes);
    unsigned char *values = allocate((size_t)(inputs * bytes) + 1);
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, socket, 0) >= 0) {
        uint32_t version, id, kind;
        uint64_t length;
        receive_frame(socket, &message, &version, sizeof version);
        receive_frame(socket, &message, &type, sizeof type);
        receive_frame(socket, &message, &id, sizeof id);
        receive_frame(socket, &message, &kind, sizeof kind);
        receive_frame(socket, &message, &length, sizeof length);
        receive_frame(socket, &message, request_header, request_header_bytes);
        for (long i = 0; i < inputs; i++) receive_frame(socket, &message, values + i * bytes, (size_t)bytes);

        type = CONTENT;
        length = response_header_bytes;
        response_header[0] = (uint64_t)inputs;
        for (long i = 0; i < inputs; i++) response_header[1 + i] = OUTPUT_BYTES;
        send_frame(socket, NULL, 0, ZMQ_SNDMORE);
        send_frame(socket, &type, sizeof type, ZMQ_SNDMORE);
        send_frame(socket, &id, sizeof id, ZMQ_SNDMORE);
        send_frame(socket, &length, sizeof length, ZMQ_SNDMORE);
        send_frame(socket, response_header, response_header_bytes, ZMQ_SNDMORE);
        for (long i = 0; i < inputs; i++)
            send_frame(socket, output, OUTPUT_BYTES, i + 1 < inputs ? ZMQ_SNDMORE : 0);
    }
    check(zmq_errno() == ETERM, "zmq_msg_recv");
    zmq_msg_close(&message);
    free(request_header);
    free(response_header);
    free(values);
    zmq_close(socket);
    return NULL;
}

typedef struct {
    unsigned char bytes[256];
    size_t size;
} routing_id;

static void send_request(void *socket, const routing_id *peer, uint32_t id, uint64_t *header,
                         const unsigned char *values) {
    uint32_t version = VERSION, type = CONTENT, kind = PREDICT;
    uint64_t header_bytes = (uint64_t)(2 + inputs) * 8;
    header[0] = FLOAT64;
    header[1] = (uint64_t)inputs;
    for (long i = 0; i < inputs; i++) header[2 + i] = (uint64_t)bytes;
    send_frame(socket, peer->bytes, peer->size, ZMQ_SNDMORE);
    send_frame(socket, NULL, 0, ZMQ_SNDMORE);
    send_frame(socket, &version, sizeof version, ZMQ_SNDMORE);
    send_frame(socket, &type, sizeof type, ZMQ_SNDMORE);
    send_frame(socket, &id, sizeof id, ZMQ_SNDMORE);
    send_frame(socket, &kind, sizeof kind, ZMQ_SNDMORE);
    send_frame(socket, &header_bytes, sizeof header_bytes, ZMQ_SNDMORE);
    send_frame(socket, header, header_bytes, ZMQ_SNDMORE);
    for (long i = 0; i < inputs; i++)
        send_frame(socket, values + i * bytes, (size_t)bytes, i + 1 < inputs ? ZMQ_SNDMORE : 0);
}

static void receive_response(void *socket, zmq_msg_t *message, uint64_t *header, unsigned char *outputs) {
    uint32_t type, id;
    uint64_t length;
    check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
    receive_frame(socket, message, NULL, 0);
    receive_frame(socket, message, &type, sizeof type);
    receive_frame(socket, message, &id, sizeof id);
    receive_frame(socket, message, &length, sizeof length);
    receive_frame(socket, message, header, (size_t)(1 + inputs) * 8);
    for (long i = 0; i < inputs; i++) receive_frame(socket, message, outputs + i * OUTPUT_BYTES, OUTPUT_BYTES);
}

// The frontend's side. Returns the number of batches answered in the measured time, and that time.
static long ask(void *socket, double *elapsed) {
    uint32_t type, next_id = 0;
    uint64_t *request_header = allocate((size_t)(2 + inputs) * 8);
    uint64_t *response_header = allocate((size_t)(1 + inputs) * 8);
    unsigned char *values = allocate((size_t)(inputs * bytes) + 1);
    unsigned char *outputs = allocate((size_t)inputs * OUTPUT_BYTES);

    routing_id peer;
    zmq_msg_t message;
    zmq_msg_init(&message);
    check(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
    peer.size = zmq_msg_size(&message);
    memcpy(peer.bytes, zmq_msg_data(&message), peer.size);
    receive_frame(socket, &message, NULL, 0);
    receive_frame(socket, &message, &type, sizeof type);

    for (long i = 0; i < in_flight; i++) send_request(socket, &peer, next_id++, request_header, values);
    double time = now(), begin = time + warm_up, end = begin + seconds, first = 0;
    long answered = 0;
    while (time < end) {
        receive_response(socket, &message, response_header, outputs);
        time = now();
        if (first > 0) answered++;
        else if (time >= begin) first = time;
        send_request(socket, &peer, next_id++, request_header, values);
    }
    // libzmq 4.3 aborts when both ends of a connection close in the middle of a multi-part message.
    for (long i = 0; i < in_flight; i++) receive_response(socket, &message, response_header, outputs);
    zmq_msg_close(&message);
    free(request_header);
    free(response_header);
    free(values);
    free(outputs);
    *elapsed = time - first;
    return answered;
}

static void read_flags(int count, char **arguments) {
    static const struct option options[] = {
        {"inputs", required_argument, NULL, 'n'},    {"bytes", required_argument, NULL, 'm'},
        {"in-flight", required_argument, NULL, 'w'}, {"seconds", required_argument, NULL, 's'},
        {"warm-up", required_argument, NULL, 'u'},   {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'n': inputs = atol(optarg); break;
        case 'm': bytes = atol(optarg); break;
        case 'w': in_flight = atol(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'u': warm_up = atof(optarg); break;
        default: inputs = 0;
        }
    }
    if (inputs < 1 || bytes < 8 || bytes % 8 != 0 || in_flight < 1 || seconds <= 0 || warm_up < 0) {
        fprintf(stderr, "usage: c-router-dealer [--inputs N] [--bytes MULTIPLE-OF-8] [--in-flight N] [--seconds S] "
                        "[--warm-up S]\n");
        exit(64);
    }
}

int main(int count, char **arguments) {
    read_flags(count, arguments);
    // A context for each side, as in two processes: each has an I/O thread of its own.
    void *frontend = zmq_ctx_new(), *container = zmq_ctx_new();
    check(frontend != NULL && container != NULL, "zmq_ctx_new");
    void *socket = zmq_socket(frontend, ZMQ_ROUTER);
    check(socket != NULL, "zmq_socket");
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    check(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    size_t size = sizeof endpoint;
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0, "ZMQ_LAST_ENDPOINT");
    pthread_t thread;
    check(pthread_create(&thread, NULL, answer, container) == 0, "pthread_create");

    double elapsed;
    long answered = ask(socket, &elapsed);
    printf("{\"pair\":\"c\",\"inputs\":%ld,\"bytes\":%ld,\"in_flight\":%ld,\"seconds\":%.3f,\"batches\":%ld,"
           "\"batches_per_second\":%.0f}\n",
           inputs, bytes, in_flight, elapsed, answered, (double)answered / elapsed);
    fflush(stdout);
    // Ends the answering thread's wait.
    zmq_ctx_shutdown(container);
    pthread_join(thread, NULL);
    zmq_close(socket);
    zmq_ctx_term(container);
    zmq_ctx_term(frontend);
    return 0;
}
