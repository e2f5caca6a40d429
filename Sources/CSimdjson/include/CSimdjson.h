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

// A value that may be absent, a number or a text. Pointers are valid until the parser's next use.
enum { CSJ_ABSENT = 0, CSJ_NUMBER = 1, CSJ_TEXT = 2, CSJ_NUMBERS = 3 };

// A name: an integer or a text.
typedef struct {
    int kind; // CSJ_ABSENT, CSJ_NUMBER or CSJ_TEXT
    int64_t number;
    const char *text;
    size_t length;
} csj_name;

// What a body holds. Pointers are valid until the parser's next use.
typedef struct {
    bool is_batch;       // `input_batch` and not `input`
    size_t count;        // inputs
    size_t byte_count;   // bytes of all inputs; for CSJ_BYTES an upper bound
    const char *version; // NULL: absent
    size_t version_length;
    bool has_timeout;
    uint64_t timeout_micros;
    csj_name uid;
} csj_body;

// What one piece of feedback holds. Pointers are valid until the parser's next use.
typedef struct {
    bool has_query_id; // else there is an input, to be written with `csj_write`
    uint64_t query_id;
    size_t byte_count; // of the input
    csj_name uid;
    csj_name feedback_id;
    int label_kind; // CSJ_ABSENT, CSJ_NUMBER, CSJ_TEXT or CSJ_NUMBERS
    double label_number;
    const char *label_text;
    size_t label_count; // bytes of the text, or numbers, to be read with `csj_label`
    bool has_reward;
    double reward;
} csj_feedback;

// NULL where there is no memory.
csj_parser *csj_parser_create(void);
void csj_parser_destroy(csj_parser *parser);

// Parses a body of `length` bytes and measures its inputs.
// `reads_user` is whether `uid` is of interest; else it is passed over, whatever it is.
// Returns NULL, or what is wrong, valid until the parser's next use.
const char *csj_parse(csj_parser *parser, const uint8_t *json, size_t length, int input_type, bool reads_user,
                      csj_body *body);

// Parses the body of feedback: `count` gets the number of pieces, `is_batch` whether they came as `updates`.
const char *csj_parse_feedback(csj_parser *parser, const uint8_t *json, size_t length, size_t *count,
                               bool *is_batch);

// Reads one piece of the feedback just parsed. `is_strict` is whether beside an input there has to be what Clipper asks
// for: an integer as `uid`, and a number as label. Then `csj_write` writes its input, and `csj_label` its label's numbers.
const char *csj_read_feedback(csj_parser *parser, size_t index, int input_type, bool is_strict,
                              csj_feedback *feedback);

// Writes the numbers of the label just read, `label_count` of them.
void csj_label(csj_parser *parser, double *target);

// Writes the inputs of the body just parsed to `target`, which has room for `byte_count` bytes, and the end of each,
// in bytes, to `ends`, which has room for `count`. Returns NULL, or what is wrong.
const char *csj_write(csj_parser *parser, int input_type, uint8_t *target, size_t *ends);

// Gives back the memory of a document that was larger than most are. What the last body pointed to is gone then.
void csj_parser_trim(csj_parser *parser);

// Whether the text is one JSON value that a reader of JSON takes.
bool csj_is_json(csj_parser *parser, const uint8_t *text, size_t length);

// Reads a text that is an array of numbers: `count` gets how many, and `csj_label` writes them. False where it is none.
bool csj_parse_numbers(csj_parser *parser, const uint8_t *text, size_t length, size_t *count);

// Reads a text that is a string of JSON: its content, `content_length` bytes; NULL where it is none.
const char *csj_parse_string(csj_parser *parser, const uint8_t *text, size_t length, size_t *content_length);

// Reads the number of this name in a text that is an object of numbers. False where it is none, or has none of that name.
bool csj_parse_member(csj_parser *parser, const uint8_t *text, size_t length, const char *name, size_t name_length,
                      double *number);

#ifdef __cplusplus
}
#endif

#endif
