// The predict body of the query API, parsed by simdjson straight into the wire's layout.

#ifndef CSIMDJSON_H
#define CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A parser with its memory; used by one thread at a time.
typedef struct csj_parser csj_parser;

// The input types, numbered as on the wire.
enum { CSJ_BYTES = 0, CSJ_INT32 = 1, CSJ_FLOAT32 = 2, CSJ_FLOAT64 = 3, CSJ_STRING = 4 };

// What a body holds. Pointers are valid until the parser's next use.
typedef struct {
    bool is_batch;       // `input_batch` and not `input`
    size_t count;        // inputs
    size_t byte_count;   // bytes of all inputs; for CSJ_BYTES an upper bound
    const char *version; // NULL: absent
    size_t version_length;
    bool has_timeout;
    uint64_t timeout_micros;
    bool has_uid;
    int64_t uid;
    bool has_label;
    double label;
} csj_body;

// NULL where there is no memory.
csj_parser *csj_parser_create(void);
void csj_parser_destroy(csj_parser *parser);

// Parses a body of `length` bytes in a buffer of `capacity` readable bytes and measures its inputs.
// `is_feedback` reads `uid` and `label` too, which must be there.
// Returns NULL, or what is wrong, valid until the parser's next use.
const char *csj_parse(csj_parser *parser, const uint8_t *json, size_t length, size_t capacity, int input_type,
                      bool is_feedback, csj_body *body);

// Writes the inputs of the body just parsed to `target`, which has room for `byte_count` bytes, and the end of each,
// in bytes, to `ends`, which has room for `count`. Returns NULL, or what is wrong.
const char *csj_write(csj_parser *parser, int input_type, uint8_t *target, size_t *ends);

// Gives back the memory of a document that was larger than most are. What the last body pointed to is gone then.
void csj_parser_trim(csj_parser *parser);

// Whether the text is one JSON value that a reader of JSON takes.
bool csj_is_json(csj_parser *parser, const uint8_t *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
