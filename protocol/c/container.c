/* A model container in C: RPC 3 and RPC 4 of this folder's parent, with nothing but libzmq.
 *
 * One thread reads messages in order and answers each before it reads the next, as in section 12 of rpc-4.md. So it does not
 * state beats-while-busy, and what lies in the socket while the model works has to wait. Its model: the sum of each input of
 * numbers, the length of bytes, and strings with ASCII letters in upper case. */

#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { INTERVAL = 5000, SILENCE = 30000, PATIENCE = 5000, LINGER = 5000, SHORTEST_PAUSE = 100, LONGEST_PAUSE = 5000 }; /* ms */
enum { LARGEST_BATCH = 65536, IN_FLIGHT = 2, USELESS = 1000 /* us: with less of its budget left a batch is too late */ };
enum data_type { BYTES, INT32, FLOAT32, FLOAT64, STRING, INT64 };
static const size_t ELEMENT[] = { 1, 4, 4, 8, 1, 8 };
static const char *const TYPE_NAME[] = { "bytes", "integers", "floats", "doubles", "strings" };

static struct { const char *name, *version; uint32_t type; int rpc; char endpoint[512]; } settings;

#define SAY(...) (fputs("container: ", stderr), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))
#define GIVE_UP(code, ...) (SAY(__VA_ARGS__), exit(code))

/* ---- Bytes, and integers from them, one byte after the other: frames are not aligned, and machines differ. */

struct bytes { const uint8_t *at; size_t size; };
struct buffer { uint8_t *at; size_t size, room; };

static uint32_t u16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }
static uint64_t u64(const uint8_t *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }

static void *grown(void *memory, size_t size)
{
    void *larger = realloc(memory, size);
    if (!larger) GIVE_UP(1, "out of memory");
    return larger;
}

static void put(struct buffer *b, const void *from, size_t size)
{
    if (!b->at || b->room - b->size < size) b->at = grown(b->at, b->room = 2 * b->room + size + 64);
    if (size) memcpy(b->at + b->size, from, size);
    b->size += size;
}

static void put_number(struct buffer *b, uint64_t value, size_t size)
{
    uint8_t little[8];
    for (size_t i = 0; i < size; i++) little[i] = (uint8_t)(value >> 8 * i);
    put(b, little, size);
}

static bool is_utf8(struct bytes text)
{
    for (size_t i = 0; i < text.size;) {
        uint8_t lead = text.at[i++];
        int more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
        if (more < 0 || text.size - i < (size_t)more) return false;
        for (int k = 0; k < more; k++, i++) { /* the second byte is what rules out overlong forms and surrogates */
            uint8_t low = k ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
            uint8_t high = k ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
            if (text.at[i] < low || text.at[i] > high) return false;
        }
    }
    return true;
}

static int64_t microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now(void) { return microseconds() / 1000; }

/* Text from the wire goes to a log only with everything escaped that a terminal could take for a command. */
static const char *escaped(struct bytes text)
{
    static char line[512];
    size_t n = 0;
    for (size_t i = 0; i < text.size && n < sizeof line - 8; i++) {
        bool plain = text.at[i] >= 0x20 && text.at[i] < 0x7f && text.at[i] != '\\';
        n += (size_t)snprintf(line + n, sizeof line - n, plain ? "%c" : "\\x%02x", text.at[i]);
    }
    line[n] = 0;
    return line;
}

/* ---- Messages from the frontend. */

enum { WELCOME = 1, ACCEPTED, REFUSED, HEARTBEAT, PREDICT, FEEDBACK, GOODBYE, NOTICE }; /* RPC 4's types; RPC 3's map to them */
enum field { F_INTERVAL = 1, F_LIMIT = 2, F_CODE = 13, F_REASON = 14, F_RETRY = 15, F_ITEMS = 16, F_VECTORS = 17,
    F_LABELS = 18, F_BUDGET = 19, FIELDS = 23 };

struct message {
    zmq_msg_t *parts;
    size_t frames, room;
    int rpc; /* 3 or 4 */
    int type;
    uint32_t id, input_type;
    size_t inputs;
    uint32_t seen;          /* bit n: field n is there */
    uint64_t field[FIELDS]; /* the numbers among the fields */
    struct bytes reason;
    const char *wrong; /* the kind of error, and where it is */
    size_t wrong_frame;
};

static struct bytes frame(struct message *m, size_t i)
{
    return (struct bytes){ zmq_msg_data(&m->parts[i]), zmq_msg_size(&m->parts[i]) };
}

static bool fail(struct message *m, const char *kind, size_t at)
{
    m->wrong = kind;
    m->wrong_frame = at;
    return false;
}

/* Only for messages that were decoded: the offsets have been checked by then. */
static struct bytes input(struct message *m, size_t i)
{
    if (m->rpc == 3) return frame(m, 7 + i);
    const uint8_t *offsets = frame(m, 1).at + 4 * i;
    return (struct bytes){ frame(m, 2).at + u32(offsets), u32(offsets + 4) - u32(offsets) };
}

static bool fixed(struct message *m, size_t i, size_t size)
{
    if (i >= m->frames) return fail(m, "missing-frame", i);
    return frame(m, i).size == size || fail(m, "frame-length", i);
}

/* RPC 3, section 7.3. Each check is made before anything relies on it. */
static bool decode3(struct message *m)
{
    if (frame(m, 0).size != 0) return fail(m, "not-empty", 0);
    if (!fixed(m, 1, 4)) return false;
    if (u32(frame(m, 1).at) != 3) return fail(m, "unsupported-version", 1);
    if (!fixed(m, 2, 4)) return false;
    uint32_t type = u32(frame(m, 2).at);
    if (type != 1 && type != 2) return fail(m, "unknown-type", 2);
    if (!fixed(m, 3, 4)) return false;
    if (type == 2) {
        uint32_t kind = u32(frame(m, 3).at);
        if (kind > 1) return fail(m, "unknown-heartbeat-type", 3);
        if (m->frames > 4) return fail(m, "surplus-frame", 4);
        m->type = kind == 1 ? WELCOME : HEARTBEAT;
        return true;
    }
    m->id = u32(frame(m, 3).at);
    if (!fixed(m, 4, 4)) return false;
    uint32_t request = u32(frame(m, 4).at);
    if (request > 1) return fail(m, "unknown-request-type", 4);
    if (!fixed(m, 5, 8)) return false;
    if (m->frames < 7) return fail(m, "missing-frame", 6);
    struct bytes header = frame(m, 6);
    if (u64(frame(m, 5).at) != header.size || header.size < 16 || header.size % 8) return fail(m, "header-length", 6);
    if (u64(header.at + 8) != header.size / 8 - 2) return fail(m, "header-length", 6);
    if (u64(header.at) > STRING) return fail(m, "unknown-data-type", 6);
    if (header.size / 8 - 2 != m->frames - 7) return fail(m, "count-mismatch", 6);
    m->inputs = m->frames - 7;
    m->input_type = u32(header.at);
    for (size_t i = 0; i < m->inputs; i++) {
        struct bytes item = frame(m, 7 + i);
        if (u64(header.at + 16 + 8 * i) != item.size) return fail(m, "size-mismatch", 7 + i);
        if (item.size % ELEMENT[m->input_type]) return fail(m, "element-size", 7 + i);
        if (m->input_type == STRING && !is_utf8(item)) return fail(m, "invalid-utf8", 7 + i);
    }
    m->type = request == 0 ? PREDICT : FEEDBACK;
    return true;
}

/* RPC 4, section 5: the fields of a frontend's messages. */
enum value { POSITIVE, NUMBER, BIG, TEXT, FLAG, INPUT_TYPE, LABEL_TYPE };
#define IN(type) (1u << (type))
static const struct { uint32_t number; enum value value; uint32_t messages; } KNOWN[] = {
    { F_INTERVAL, POSITIVE, IN(WELCOME) }, { F_LIMIT, POSITIVE, IN(WELCOME) }, { 3, TEXT, IN(WELCOME) },
    { 12, NUMBER, IN(ACCEPTED) }, { F_CODE, NUMBER, IN(REFUSED) | IN(GOODBYE) },
    { F_REASON, TEXT, IN(REFUSED) | IN(GOODBYE) }, { F_RETRY, NUMBER, IN(REFUSED) },
    { F_ITEMS, INPUT_TYPE, IN(PREDICT) | IN(FEEDBACK) }, { F_VECTORS, FLAG, IN(FEEDBACK) },
    { F_LABELS, LABEL_TYPE, IN(FEEDBACK) }, { F_BUDGET, BIG, IN(PREDICT) },
    { 21, TEXT, IN(PREDICT) }, { 22, TEXT, IN(PREDICT) } };
static const uint32_t REQUIRED[] = { [WELCOME] = 1u << F_INTERVAL | 1u << F_LIMIT, [REFUSED] = 1u << F_CODE,
    [PREDICT] = 1u << F_ITEMS, [FEEDBACK] = 1u << F_ITEMS | 1u << F_LABELS, [GOODBYE] = 1u << F_CODE };

static bool keep_field(struct message *m, uint32_t number, enum value is, struct bytes v)
{
    static const size_t SIZE[] = { [POSITIVE] = 4, [NUMBER] = 4, [BIG] = 8, [FLAG] = 0, [INPUT_TYPE] = 4, [LABEL_TYPE] = 4 };
    m->seen |= 1u << number;
    if (is == TEXT) {
        if (number == F_REASON) m->reason = v;
        return is_utf8(v) || fail(m, "invalid-utf8", 0);
    }
    if (v.size != SIZE[is]) return fail(m, "field-value", 0);
    uint64_t n = is == FLAG ? 1 : is == BIG ? u64(v.at) : u32(v.at);
    if (is == POSITIVE && n == 0) return fail(m, "field-value", 0);
    if ((is == INPUT_TYPE && n > STRING) || (is == LABEL_TYPE && n > INT64)) return fail(m, "unknown-data-type", 0);
    m->field[number] = n;
    return true;
}

static bool decode_fields(struct message *m, struct bytes head)
{
    uint32_t last = 0;
    for (size_t at = 12; at < head.size;) {
        if (head.size - at < 4) return fail(m, "field-length", 0);
        uint32_t tag = u16(head.at + at), size = u16(head.at + at + 2), number = tag & 0x7fff;
        if (head.size - at - 4 < size) return fail(m, "field-length", 0);
        if (number <= last) return fail(m, "field-order", 0);
        size_t k = 0, count = sizeof KNOWN / sizeof KNOWN[0];
        while (k < count && !(KNOWN[k].number == number && KNOWN[k].messages & IN(m->type))) k++;
        if (k == count && tag & 0x8000) return fail(m, "unknown-field", 0); /* without that bit it is skipped */
        if (k < count && !keep_field(m, number, KNOWN[k].value, (struct bytes){ head.at + at + 4, size })) return false;
        at += 4 + size;
        last = number;
    }
    if ((m->seen & REQUIRED[m->type]) != REQUIRED[m->type]) return fail(m, "missing-field", 0);
    uint64_t labels = m->field[F_LABELS];
    if (m->field[F_VECTORS] && (labels == BYTES || labels == STRING)) return fail(m, "field-value", 0);
    return true;
}

/* Offsets are only compared, never added up, so no value of theirs can overflow anything. */
static bool check_offsets(struct message *m, size_t k, size_t *count)
{
    struct bytes offsets = frame(m, k);
    if (offsets.size == 0 || offsets.size % 4 || u32(offsets.at) != 0) return fail(m, "offsets", k);
    *count = offsets.size / 4 - 1;
    for (size_t i = 0; i < *count; i++)
        if (u32(offsets.at + 4 * i) > u32(offsets.at + 4 * i + 4)) return fail(m, "offsets", k);
    return u32(offsets.at + 4 * *count) == frame(m, k + 1).size || fail(m, "offsets", k);
}

static bool check_items(struct message *m, size_t k, size_t count, uint32_t type, bool single)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *offset = frame(m, k).at + 4 * i;
        struct bytes item = { frame(m, k + 1).at + u32(offset), u32(offset + 4) - u32(offset) };
        if (single ? item.size != ELEMENT[type] : item.size % ELEMENT[type]) return fail(m, "element-size", k + 1);
        if (type == STRING && !is_utf8(item)) return fail(m, "invalid-utf8", k + 1);
    }
    return true;
}

/* RPC 4, section 9.2. */
static bool decode4(struct message *m)
{
    struct bytes head = frame(m, 0);
    if (head.size < 12) return fail(m, "head-length", 0);
    if (u32(head.at) != 4) return fail(m, "unsupported-version", 0);
    uint32_t type = u32(head.at + 4);
    if (type < WELCOME || (type > GOODBYE && type < 256)) return fail(m, "unknown-type", 0);
    m->type = type < 256 ? (int)type : NOTICE;
    m->id = u32(head.at + 8);
    if (m->type == NOTICE) return true; /* whatever follows */
    if (!decode_fields(m, head)) return false;
    size_t frames = type == PREDICT ? 3 : type == FEEDBACK ? 5 : 1, labels;
    if (m->frames != frames) return m->frames < frames ? fail(m, "missing-frame", m->frames) : fail(m, "surplus-frame", frames);
    if (frames == 1) return true;
    m->input_type = (uint32_t)m->field[F_ITEMS];
    if (!check_offsets(m, 1, &m->inputs) || !check_items(m, 1, m->inputs, m->input_type, false)) return false;
    if (type == PREDICT) return true;
    uint32_t label = (uint32_t)m->field[F_LABELS];
    if (!check_offsets(m, 3, &labels)) return false;
    if (labels != m->inputs) return fail(m, "offsets", 3);
    return check_items(m, 3, labels, label, label != BYTES && label != STRING && !m->field[F_VECTORS]);
}

static bool decode(struct message *m)
{
    if (m->frames == 0) return fail(m, "missing-frame", 0);
    m->rpc = settings.rpc == 4 && frame(m, 0).size > 0 ? 4 : 3;
    return m->rpc == 4 ? decode4(m) : decode3(m);
}

static void clear(struct message *m)
{
    for (size_t i = 0; i < m->frames; i++) zmq_msg_close(&m->parts[i]);
    free(m->parts);
    *m = (struct message){ 0 };
}

/* A whole message, up to the frame without the "more" mark, before any of it is looked at. False: there is none. */
static bool receive(void *socket, struct message *m)
{
    do {
        if (m->frames == m->room) {
            m->room = 2 * m->room + 8;
            m->parts = grown(m->parts, m->room * sizeof *m->parts);
        }
        zmq_msg_init(&m->parts[m->frames]);
        while (zmq_msg_recv(&m->parts[m->frames], socket, ZMQ_DONTWAIT) < 0)
            if (zmq_errno() != EINTR) return false; /* nothing is there; a message that has begun is there in full */
    } while (zmq_msg_more(&m->parts[m->frames++]));
    return true;
}

/* ---- Messages to the frontend. */

/* One message at a time is put together in `out`; `ends` has the ends of its frames so far. */
static struct buffer out, ends;

static void put_text(const char *text) { put(&out, text, strlen(text)); }
static void put_u32(uint32_t value) { put_number(&out, value, 4); }
static void end_frame(void) { put(&ends, &out.size, sizeof out.size); }

static bool send_message(void *socket)
{
    size_t count = ends.size / sizeof(size_t), from = 0, to;
    int sent = 0;
    for (size_t i = 0; i < count && sent >= 0; i++, from = to) {
        memcpy(&to, ends.at + i * sizeof to, sizeof to);
        do sent = zmq_send(socket, out.at + from, to - from, i + 1 < count ? ZMQ_SNDMORE : 0);
        while (sent < 0 && zmq_errno() == EINTR); /* a signal; the loop of the session sees to it afterwards */
    }
    out.size = ends.size = 0;
    return sent >= 0;
}

static bool send_heartbeat(void *socket)
{
    end_frame();
    put_u32(2);
    end_frame();
    return send_message(socket);
}

static void put_head(uint32_t type, uint32_t id) { put_u32(4), put_u32(type), put_u32(id); }

static void put_number_field(uint32_t tag, uint64_t value, size_t size)
{
    put_number(&out, tag | (uint32_t)size << 16, 4); /* the tag, and after it the length */
    put_number(&out, value, size);
}

static void put_text_field(uint32_t tag, const char *text)
{
    put_number(&out, tag | (uint32_t)strlen(text) << 16, 4);
    put_text(text);
}

/* Failure and goodbye look alike: a code, and a reason. */
static bool send_code(void *socket, uint32_t type, uint32_t id, uint32_t code, const char *reason)
{
    put_head(type, id);
    put_number_field(0x800d, code, 4);
    put_text_field(0x000e, reason);
    end_frame();
    return send_message(socket);
}

static bool send_register(void *socket)
{
    char pid[24];
    const char *const metadata[] = { "language", "C", "pid", pid };
    size_t size = 0;
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    for (int i = 0; i < 4; i++) size += 2 + strlen(metadata[i]);
    put_head(8, 0);
    put_text_field(0x0003, "container.c/1");
    put_text_field(0x8004, settings.name);
    put_text_field(0x8005, settings.version);
    put_number_field(0x8006, settings.type, 4);
    put_number_field(0x8007, LARGEST_BATCH, 4);
    put_number_field(0x8008, IN_FLIGHT, 4);
    put_number(&out, 0x0009 | (uint32_t)size << 16, 4);
    for (int i = 0; i < 4; i++) put_number(&out, strlen(metadata[i]), 2), put_text(metadata[i]);
    end_frame();
    return send_message(socket);
}

static bool send_new_container3(void *socket)
{
    end_frame();
    put_u32(0), end_frame();
    put_text(settings.name), end_frame();
    put_text(settings.version), end_frame();
    put_number(&out, '0' + settings.type, 1), end_frame();
    put_u32(3), end_frame();
    return send_message(socket);
}

/* ---- The model. */

struct output {
    int64_t integer;    /* of bytes and int32 */
    double real;        /* of floats */
    struct buffer text; /* of strings */
    uint32_t code;      /* why it failed, otherwise 0 */
    const char *why;
};
static struct output output;

/* Put a model of your own here. An output with a code says that this one input failed; the others are not harmed by it. */
static void predict(struct bytes in, struct output *to)
{
    to->integer = settings.type == BYTES ? (int64_t)in.size : 0;
    to->real = 0;
    to->text.size = to->code = 0;
    if (settings.type == BYTES) return;
    if (settings.type == STRING) {
        put(&to->text, in.at, in.size);
        for (size_t i = 0; i < in.size; i++)
            if (in.at[i] >= 'a' && in.at[i] <= 'z') to->text.at[i] = (uint8_t)(in.at[i] - 'a' + 'A');
        if (in.size == 4 && memcmp(in.at, "fail", 4) == 0) to->code = 1, to->why = "the text \"fail\" fails";
        return;
    }
    for (size_t i = 0; i < in.size; i += ELEMENT[settings.type]) {
        uint32_t word = u32(in.at + i);
        float single;
        double x = 0;
        if (settings.type == INT32) to->integer += (int32_t)word;
        else if (settings.type == FLOAT32) memcpy(&single, &word, 4), x = single;
        else memcpy(&x, &(uint64_t){ u64(in.at + i) }, 8);
        if (x != x) to->code = 2, to->why = "the input has a NaN";
        to->real += x;
    }
}

/* RPC 3 knows text only: of a number, the shortest that reads back as the same one. */
static struct bytes as_text(struct output *from)
{
    char line[32];
    int digits = 15;
    if (settings.type == FLOAT32 || settings.type == FLOAT64)
        do snprintf(line, sizeof line, from->real != from->real ? "nan" : "%.*g", digits, from->real);
        while (digits++ < 17 && strtod(line, NULL) != from->real);
    else snprintf(line, sizeof line, "%" PRId64, from->integer);
    if (settings.type != STRING) put(&from->text, line, strlen(line));
    return (struct bytes){ from->text.at, from->text.size };
}

/* False: there can be no answer, and RPC 3 has no way to say so but the end of the session. */
static bool answer3(void *socket, struct message *m)
{
    static struct buffer header, texts;
    header.size = texts.size = 0;
    if (m->input_type != settings.type) {
        SAY("a batch of %s came, and the model takes %s", TYPE_NAME[m->input_type], TYPE_NAME[settings.type]);
        return false;
    }
    put_number(&header, m->inputs, 8);
    for (size_t i = 0; i < m->inputs; i++) {
        predict(input(m, i), &output);
        if (output.code) {
            SAY("the model failed for input %zu of batch %" PRIu32 ": %s", i, m->id, output.why);
            return false;
        }
        struct bytes text = as_text(&output);
        put_number(&header, text.size, 8);
        put(&texts, text.at, text.size);
    }
    end_frame();
    put_u32(1), end_frame();
    put_u32(m->id), end_frame();
    put_number(&out, header.size, 8), end_frame();
    put(&out, header.at, header.size), end_frame();
    for (size_t i = 0, at = 0; i < m->inputs; i++, end_frame()) {
        size_t size = (size_t)u64(header.at + 8 + 8 * i);
        put(&out, texts.at + at, size);
        at += size;
    }
    return send_message(socket);
}

static bool answer4(void *socket, struct message *m, int64_t received)
{
    static struct buffer offsets, items, errors;
    char reason[128];
    uint32_t code = 0;
    int64_t started = microseconds(); /* how long the batch lay in the socket isn't known; slow models read on another thread */
    if (m->input_type != settings.type) {
        code = 2;
        snprintf(reason, sizeof reason, "%s came, and the model takes %s", TYPE_NAME[m->input_type], TYPE_NAME[settings.type]);
    } else if (m->inputs > LARGEST_BATCH) {
        code = 4;
        snprintf(reason, sizeof reason, "%zu inputs came, and the container takes %d", m->inputs, LARGEST_BATCH);
    } else if (m->seen & 1u << F_BUDGET && m->field[F_BUDGET] < (uint64_t)(started - received) + USELESS) {
        code = 3;
        snprintf(reason, sizeof reason, "the budget of %" PRIu64 " microseconds is as good as spent", m->field[F_BUDGET]);
    }
    if (code) return send_code(socket, 10, m->id, code, reason);
    offsets.size = items.size = errors.size = 0;
    put_number(&offsets, 0, 4);
    for (size_t i = 0; i < m->inputs; i++) {
        predict(input(m, i), &output);
        uint64_t bits = (uint64_t)output.integer;
        if (settings.type == FLOAT32 || settings.type == FLOAT64) memcpy(&bits, &output.real, 8);
        if (output.code) { /* an empty item, and an entry */
            put_number(&errors, i, 4), put_number(&errors, output.code, 4);
            put_number(&errors, strlen(output.why), 4), put(&errors, output.why, strlen(output.why));
        } else if (settings.type == STRING) put(&items, output.text.at, output.text.size);
        else put_number(&items, bits, 8);
        put_number(&offsets, items.size, 4); /* fits: no text is longer than what came, and a number has 8 bytes */
    }
    put_head(9, m->id);
    put_number_field(0x8010, settings.type == STRING ? STRING : settings.type < FLOAT32 ? INT64 : FLOAT64, 4);
    put_number_field(0x0014, (uint64_t)(microseconds() - started), 8);
    end_frame();
    put(&out, offsets.at, offsets.size), end_frame();
    put(&out, items.at, items.size), end_frame();
    if (errors.size) put(&out, errors.at, errors.size), end_frame();
    return send_message(socket);
}

/* ---- Sessions. */

static int told_to_stop[2]; /* a pipe: readable from the signal on, so that no wait can miss it */
static volatile sig_atomic_t signal_number;
static int64_t pause_time = SHORTEST_PAUSE;

static void on_signal(int number)
{
    int before = errno;
    if (signal_number) _exit(0); /* told a second time: it ends at once, whatever the model is at */
    if (write(told_to_stop[1], "", 1) == 1) signal_number = number;
    errno = before;
}

static void wait_before_the_next(int64_t milliseconds)
{
    int64_t end = now() + milliseconds;
    for (int64_t left; !signal_number && (left = end - now()) > 0;)
        poll(&(struct pollfd){ .fd = told_to_stop[0], .events = POLLIN }, 1, left > 60000 ? 60000 : (int)left);
}

static void *connect_dealer(void *context)
{
    char id[38] = "rpc4-";
    uint8_t random[16];
    FILE *source = fopen("/dev/urandom", "rb");
    void *socket = zmq_socket(context, ZMQ_DEALER);
    if (!source || !socket || fread(random, 1, sizeof random, source) != sizeof random)
        GIVE_UP(1, "cannot open a socket with a random routing id; is /dev/urandom there, and are there free descriptors?");
    fclose(source);
    for (int i = 0; i < 16; i++) snprintf(id + 5 + 2 * i, 3, "%02x", random[i]);
    if (settings.rpc == 4) zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, 37);
    zmq_setsockopt(socket, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
    if (strchr(settings.endpoint, '[')) zmq_setsockopt(socket, ZMQ_IPV6, &(int){ 1 }, sizeof(int));
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &(int){ PATIENCE }, sizeof(int)); /* a peer that reads nothing cannot hold us */
    if (zmq_connect(socket, settings.endpoint) != 0)
        GIVE_UP(64, "cannot connect to %s: %s; check CLIPPER_IP and CLIPPER_PORT", settings.endpoint, zmq_strerror(zmq_errno()));
    return socket;
}

enum next { GO_ON, ENDS = -1, AGAIN = -2, AGAIN_AFTER_PAUSE = -3 }; /* or, above 0: again after so many milliseconds */

/* What a message asks for, and what becomes of the session. */
static int64_t act(void *socket, struct message *m, int64_t received, bool leaving)
{
    bool sent = true;
    if (leaving && (m->type == WELCOME || m->type == REFUSED)) return ENDS; /* forgotten, and not to register any more */
    switch (m->type) {
    case WELCOME:
        sent = m->rpc == 4 ? send_register(socket) : send_new_container3(socket);
        break;
    case REFUSED:
        SAY("the frontend refuses this container (code %" PRIu64 "): %s", m->field[F_CODE], escaped(m->reason));
        if (!(m->seen & 1u << F_RETRY)) return INTERVAL;
        return m->field[F_RETRY] > SHORTEST_PAUSE ? (int64_t)m->field[F_RETRY] : SHORTEST_PAUSE; /* whatever it says */
    case PREDICT:
        sent = m->rpc == 4 ? answer4(socket, m, received) : answer3(socket, m);
        if (sent) pause_time = SHORTEST_PAUSE;
        break;
    case GOODBYE:
        if (!leaving) SAY("the frontend says goodbye (code %" PRIu64 "): %s", m->field[F_CODE], escaped(m->reason));
        return leaving || m->field[F_CODE] == 3 ? ENDS : AGAIN_AFTER_PAUSE; /* 3: drained, and not wanted any more */
    default: break; /* accepted, heartbeat, feedback, notices */
    }
    return sent ? GO_ON : AGAIN_AFTER_PAUSE;
}

/* One session, from its heartbeat to its end. */
static int64_t session(void *socket)
{
    int64_t interval = INTERVAL, silence = SILENCE, heard = now(), sent = heard, patience = 0, next = GO_ON, first = 0;
    int rpc = 0; /* what the frontend has spoken last */
    if (!send_heartbeat(socket)) return AGAIN_AFTER_PAUSE;
    while (next == GO_ON) {
        if (signal_number && !patience) {
            SAY("told to stop by signal %d", (int)signal_number);
            patience = now() + PATIENCE;
            if (rpc == 4) send_code(socket, GOODBYE, 0, 1, signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
        }
        if (patience && (rpc != 4 || now() >= patience)) { /* RPC 3 has no goodbye */
            next = ENDS;
            break;
        }
        /* RPC 4 counts from what was sent; in RPC 3 whatever comes puts the heartbeat off. */
        int64_t due = (rpc == 4 || sent > heard ? sent : heard) + interval;
        if (now() >= due) {
            send_heartbeat(socket); /* a failure is a frontend that takes nothing: its silence will tell */
            sent = now();
            due = sent + interval;
        }
        if (due > heard + silence) due = heard + silence;
        if (patience && due > patience) due = patience;
        zmq_pollitem_t wait[] = { { socket, 0, ZMQ_POLLIN, 0 }, { NULL, told_to_stop[0], ZMQ_POLLIN, 0 } };
        int64_t left = due - now();
        zmq_poll(wait, patience ? 1 : 2, left < 0 ? 0 : left > 60000 ? 60000 : (long)left);
        struct message m = { 0 };
        if (receive(socket, &m)) {
            int64_t received = microseconds();
            if (decode(&m)) {
                if (!rpc) first = now();
                rpc = m.rpc;
                bool stated = m.type == WELCOME && rpc == 4;
                if (stated || rpc == 3) { /* RPC 3 states nothing: there they are fixed */
                    interval = stated ? (int64_t)m.field[F_INTERVAL] : INTERVAL;
                    silence = stated ? (int64_t)m.field[F_LIMIT] : SILENCE;
                }
                next = act(socket, &m, received, patience != 0);
                heard = now(); /* the time of the model is nobody's silence, and tries nobody's patience */
                if (m.type == PREDICT || m.type == WELCOME) sent = heard;
                if (patience) patience += heard - received / 1000;
            } else {
                SAY("a malformed message: %s at frame %zu; the session ends", m.wrong, m.wrong_frame);
                bool other = strcmp(m.wrong, "unsupported-version") == 0; /* another try is of no use soon (RPC 3, 9.3) */
                next = other ? LONGEST_PAUSE : AGAIN_AFTER_PAUSE;
            }
        } else if (now() - heard >= silence) next = AGAIN; /* looked at last: what came while nobody listened counts */
        clear(&m);
    }
    if (rpc && now() - first >= LONGEST_PAUSE) pause_time = SHORTEST_PAUSE; /* it has been well */
    if (next == AGAIN) SAY("nothing has come for %" PRId64 " ms; trying again with a new session", silence);
    else if (rpc) zmq_setsockopt(socket, ZMQ_LINGER, &(int){ LINGER }, sizeof(int)); /* the last answers are to get out */
    return next;
}

/* ---- Settings, from the environment (RPC 3, section 10). */

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static const char *name_setting(const char *name)
{
    const char *value = setting(name, NULL);
    if (!value) GIVE_UP(64, "%s is not set; set it to what the frontend is to call this model", name);
    bool good = strlen(value) <= 256 && is_utf8((struct bytes){ (const uint8_t *)value, strlen(value) });
    for (const char *c = value; *c; c++) good = good && *c != ',' && *c != ':' && *c != 0x7f && (unsigned char)*c >= 0x20;
    if (!good) GIVE_UP(64, "%s must be 1 to 256 bytes of UTF-8 without commas, colons and control characters", name);
    return value;
}

static void read_settings(int count, char **arguments)
{
    static const char *const NAMES[][5] = { { "bytes", "byte", "b" }, { "integers", "ints", "integer", "int", "i" },
        { "floats", "float", "f" }, { "doubles", "double", "d" }, { "strings", "string", "strs", "str", "s" } };
    const char *type = setting("CLIPPER_INPUT_TYPE", "doubles"), *host = setting("CLIPPER_IP", "127.0.0.1");
    const char *port = setting("CLIPPER_PORT", "7000"), *rpc = setting("RPC", "4");
    if (count == 3 && strcmp(arguments[1], "--rpc") == 0) rpc = arguments[2];
    else if (count != 1) GIVE_UP(64, "usage: %s [--rpc 3|4], and the environment of RPC 3, section 10", arguments[0]);
    if (strcmp(rpc, "3") && strcmp(rpc, "4")) GIVE_UP(64, "the RPC version is 3 or 4, not \"%s\"", rpc);
    settings.rpc = *rpc - '0';
    settings.name = name_setting("CLIPPER_MODEL_NAME");
    settings.version = name_setting("CLIPPER_MODEL_VERSION");
    settings.type = INT64; /* which is none of inputs, until a name is found */
    for (uint32_t i = 0; i <= STRING; i++)
        for (int k = 0; k < 5 && NAMES[i][k]; k++)
            if (strcasecmp(type, NAMES[i][k]) == 0) settings.type = i;
    if (settings.type > STRING)
        GIVE_UP(64, "CLIPPER_INPUT_TYPE is \"%s\"; it is one of bytes, integers, floats, doubles, strings", type);
    if (strlen(port) > 5 || strspn(port, "0123456789") != strlen(port) || atol(port) < 1 || atol(port) > 65535)
        GIVE_UP(64, "CLIPPER_PORT is \"%s\"; a port is a number from 1 to 65535", port);
    if (strlen(host) > 255) GIVE_UP(64, "CLIPPER_IP has %zu characters; a host name has 255 at most", strlen(host));
    bool bare = strchr(host, ':') && *host != '['; /* an address of IPv6, whose own colons are told from the port's by brackets */
    snprintf(settings.endpoint, sizeof settings.endpoint, bare ? "tcp://[%s]:%s" : "tcp://%s:%s", host, port);
}

int main(int count, char **arguments)
{
    read_settings(count, arguments);
    void *context = zmq_ctx_new();
    if (!context || pipe(told_to_stop) != 0) GIVE_UP(1, "cannot begin: no free descriptors");
    struct sigaction stop = { .sa_handler = on_signal };
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    SAY("%s, version %s, takes %s; speaks RPC %s to %s", settings.name, settings.version, TYPE_NAME[settings.type],
        settings.rpc == 3 ? "3" : "4 and 3", settings.endpoint);
    for (int64_t next = AGAIN; next != ENDS && !signal_number;) {
        void *socket = connect_dealer(context);
        next = session(socket);
        zmq_close(socket); /* before the pause: the frontend counts on this container as long as the connection stands */
        if (next == AGAIN_AFTER_PAUSE) {
            wait_before_the_next(pause_time);
            pause_time = 2 * pause_time < LONGEST_PAUSE ? 2 * pause_time : LONGEST_PAUSE;
        } else if (next > 0) wait_before_the_next(next);
    }
    zmq_ctx_term(context); /* waits until the last answer is out, or the linger is over */
    return 0;
}
