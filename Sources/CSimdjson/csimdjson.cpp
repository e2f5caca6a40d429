#include "CSimdjson.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <simdjson.h>
#include <string>
#include <vector>

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;

struct csj_parser {
    simdjson::dom::parser dom;
    std::string error;
    std::string rewritten;
    element inputs;
    bool is_batch = false;
    // The pieces of feedback, and the numbers of the label read last.
    std::vector<element> pieces;
    std::vector<double> label;
};

namespace {

// A parser keeps the memory of its largest document; one larger than this gives it back.
constexpr size_t largest_kept = 1 << 20;
// The longest name of a user, or of a piece of feedback, in bytes.
constexpr size_t longest_name = 256;

const char *name(element_type type) {
    switch (type) {
    case element_type::ARRAY: return "an array";
    case element_type::OBJECT: return "an object";
    case element_type::INT64:
    case element_type::UINT64: return "an integer";
    case element_type::DOUBLE: return "a number with a fraction or exponent";
    case element_type::STRING: return "a string";
    case element_type::BOOL: return "a boolean";
    case element_type::NULL_VALUE: return "null";
    }
    return "something else";
}

// Whether a number is an integer that 64 bits with a sign do not hold.
bool is_large_integer(element value) {
    int64_t narrow;
    double wide;
    if (!value.is_number() || !value.get_int64().get(narrow)) return false;
    return value.is_uint64() || (!value.get_double().get(wide) && std::fabs(wide) >= 9.2e18 && std::trunc(wide) == wide);
}

// What was found where an integer is expected.
std::string found_for_integer(element value) {
    return is_large_integer(value) ? "one beyond 64 bits" : name(value.type());
}

const char *fail(csj_parser *parser, std::string message) {
    parser->error = std::move(message);
    return parser->error.c_str();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether an integer is beyond what 64 bits hold, signed where it is negative.
bool exceeds_64_bits(const char *digits, size_t count, bool negative) {
    const char *largest = negative ? "9223372036854775808" : "18446744073709551615";
    size_t length = negative ? 19 : 20;
    return count > length || (count == length && memcmp(digits, largest, length) > 0);
}

// simdjson's tape holds integers of 64 bits and refuses longer ones, which are numbers all the same: ".0" behind their
// digits makes them doubles, read exactly. Nothing else in the text changes.
bool lengthen_integers(const char *json, size_t length, std::string &out) {
    out.clear();
    bool changed = false;
    for (size_t i = 0; i < length;) {
        if (json[i] == '"') {
            size_t start = i++;
            while (i < length && json[i] != '"') i += json[i] == '\\' ? 2 : 1;
            i = i < length ? i + 1 : length;
            out.append(json + start, i - start);
        } else if (is_digit(json[i])) {
            size_t start = i;
            while (i < length && is_digit(json[i])) i++;
            bool whole = i == length || (json[i] != '.' && json[i] != 'e' && json[i] != 'E');
            bool fraction = start > 0 && (json[start - 1] == '.' || json[start - 1] == 'e' || json[start - 1] == 'E' ||
                                          json[start - 1] == '+');
            bool exponent = start > 1 && json[start - 1] == '-' && (json[start - 2] == 'e' || json[start - 2] == 'E');
            out.append(json + start, i - start);
            bool negative = start > 0 && json[start - 1] == '-';
            if (whole && !fraction && !exponent && exceeds_64_bits(json + start, i - start, negative)) {
                out.append(".0");
                changed = true;
            }
        } else {
            out.push_back(json[i++]);
        }
    }
    return changed;
}

// Reads a text, from a copy behind which simdjson may read.
simdjson::error_code parse(csj_parser *parser, const uint8_t *json, size_t length, element &document) {
    auto error = parser->dom.parse(json, length, true).get(document);
    // Which of its codes simdjson has for a long integer depends on its version.
    if (error && error != simdjson::UTF8_ERROR && error != simdjson::DEPTH_ERROR && error != simdjson::MEMALLOC &&
        lengthen_integers((const char *)json, length, parser->rewritten)) {
        parser->rewritten.reserve(parser->rewritten.size() + simdjson::SIMDJSON_PADDING);
        error = parser->dom.parse((const uint8_t *)parser->rewritten.data(), parser->rewritten.size(), false)
                    .get(document);
    }
    return error;
}

std::string place(bool is_batch, size_t input, ptrdiff_t item) {
    std::string text = is_batch ? "input_batch[" + std::to_string(input) + "]" : "input";
    if (item >= 0) text += "[" + std::to_string(item) + "]";
    return text;
}

size_t element_width(int type) { return type == CSJ_FLOAT64 ? 8 : 4; }

// The number of elements; simdjson's own count stops at 2^24 - 1.
size_t count_of(array values) {
    size_t size = values.size();
    if (size < 0xFFFFFF) return size;
    size = 0;
    for (auto value : values) {
        (void)value;
        size++;
    }
    return size;
}

// The size in bytes of one input, or an error.
const char *measure(csj_parser *parser, element input, int type, size_t index, size_t &size) {
    if (type == CSJ_STRING || type == CSJ_BYTES) {
        std::string_view text;
        if (input.get_string().get(text)) {
            return fail(parser, place(parser->is_batch, index, -1) + ": expected a " +
                                    (type == CSJ_BYTES ? "base64 " : "") + "string, found " + name(input.type()));
        }
        size = type == CSJ_STRING ? text.size() : text.size() / 4 * 3;
        return nullptr;
    }
    array values;
    if (input.get_array().get(values)) {
        return fail(parser, place(parser->is_batch, index, -1) + ": expected an array of numbers, found " +
                                name(input.type()));
    }
    size = count_of(values) * element_width(type);
    return nullptr;
}

int sextet(unsigned char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// RFC 4648, section 4: padded, no other characters, no bits left over. Returns the length, or -1.
ptrdiff_t decode_base64(std::string_view text, uint8_t *target) {
    if (text.size() % 4 != 0) return -1;
    uint8_t *out = target;
    for (size_t i = 0; i < text.size(); i += 4) {
        size_t padding = 0;
        if (i + 4 == text.size()) padding = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j >= 4 - padding ? 0 : sextet((unsigned char)text[i + j]);
            if (value < 0) return -1;
            bits = bits << 6 | (uint32_t)value;
        }
        if ((padding == 1 && (bits & 0xFF)) || (padding == 2 && (bits & 0xFFFF))) return -1;
        *out++ = (uint8_t)(bits >> 16);
        if (padding < 2) *out++ = (uint8_t)(bits >> 8);
        if (padding < 1) *out++ = (uint8_t)bits;
    }
    return out - target;
}

// A number of the body as a double; integers are numbers too.
bool as_double(element value, double &number) {
    int64_t small;
    uint64_t large;
    if (!value.get_double().get(number)) return true;
    if (!value.get_int64().get(small)) {
        number = (double)small;
        return true;
    }
    if (!value.get_uint64().get(large)) {
        number = (double)large;
        return true;
    }
    return false;
}

// A number of any size in a few digits.
std::string shortened(double number) {
    char text[32];
    snprintf(text, sizeof text, "%.6g", number);
    return text;
}

const char *write_number(csj_parser *parser, element value, int type, size_t index, size_t item, uint8_t *target) {
    auto expected = [&](const char *what, std::string found) {
        return fail(parser, place(parser->is_batch, index, (ptrdiff_t)item) + ": expected " + what + ", found " + found);
    };
    if (type == CSJ_INT32) {
        int64_t number;
        if (value.get_int64().get(number)) {
            return expected(is_large_integer(value) ? "an integer of 32 bits" : "an integer", found_for_integer(value));
        }
        if (number < INT32_MIN || number > INT32_MAX) {
            return expected("an integer of 32 bits", std::to_string(number));
        }
        int32_t narrow = (int32_t)number;
        memcpy(target, &narrow, 4);
        return nullptr;
    }
    double number;
    if (!as_double(value, number)) return expected("a number", name(value.type()));
    if (type == CSJ_FLOAT64) {
        memcpy(target, &number, 8);
        return nullptr;
    }
    float narrow = (float)number;
    if (!std::isfinite(narrow)) return expected("a number that a 32-bit float can hold", shortened(number));
    memcpy(target, &narrow, 4);
    return nullptr;
}

// A key that names somebody or something: an integer or a string.
const char *read_name(csj_parser *parser, simdjson::dom::object object, const char *key, csj_name &out) {
    element value;
    if (object[key].get(value)) return nullptr;
    std::string_view text;
    if (!value.get_int64().get(out.number)) {
        out.kind = CSJ_NUMBER;
    } else if (!value.get_string().get(text) && !text.empty() && text.size() <= longest_name) {
        out.kind = CSJ_TEXT;
        out.text = text.data();
        out.length = text.size();
    } else {
        std::string found = value.is_string() ? (text.empty() ? "an empty one" : "a longer one")
                                              : found_for_integer(value);
        return fail(parser, std::string(key) + ": expected an integer of 64 bits or a string of at most " +
                                std::to_string(longest_name) + " bytes, found " + found);
    }
    return nullptr;
}

const char *read_label(csj_parser *parser, element value, csj_feedback *feedback) {
    std::string_view text;
    bool flag;
    array values;
    if (as_double(value, feedback->label_number)) {
        feedback->label_kind = CSJ_NUMBER;
    } else if (!value.get_string().get(text)) {
        feedback->label_kind = CSJ_TEXT;
        feedback->label_text = text.data();
        feedback->label_count = text.size();
    } else if (!value.get_bool().get(flag)) {
        feedback->label_kind = CSJ_TEXT;
        feedback->label_text = flag ? "true" : "false";
        feedback->label_count = flag ? 4 : 5;
    } else if (!value.get_array().get(values)) {
        parser->label.clear();
        for (element item : values) {
            double number;
            if (!as_double(item, number)) {
                return fail(parser, std::string("label: expected an array of numbers, found ") + name(item.type()) +
                                        " in it");
            }
            parser->label.push_back(number);
        }
        feedback->label_kind = CSJ_NUMBERS;
        feedback->label_count = parser->label.size();
    } else {
        return fail(parser, std::string("label: expected a number, a string or an array of numbers, found ") +
                                name(value.type()));
    }
    return nullptr;
}

// Feedback for a query that was answered: its id, and what its answer should have been or is worth.
const char *read_judgement(csj_parser *parser, simdjson::dom::object object, element id, csj_feedback *feedback) {
    if (id.get_uint64().get(feedback->query_id)) {
        return fail(parser, std::string("query_id: expected a whole number from 0 on, found ") +
                                (id.is_int64() ? "a negative one" : found_for_integer(id)));
    }
    feedback->has_query_id = true;
    element value;
    if (!object["input"].get(value)) return "'query_id' and 'input' exclude each other: the query's input is known";
    if (const char *error = read_name(parser, object, "uid", feedback->uid)) return error;
    if (!object["reward"].get(value)) {
        if (!as_double(value, feedback->reward) || !(feedback->reward >= 0 && feedback->reward <= 1)) {
            return fail(parser, std::string("reward: expected a number from 0 to 1, found ") +
                                    (value.is_number() ? "another" : name(value.type())));
        }
        feedback->has_reward = true;
    }
    bool has_label = !object["label"].get(value);
    if (has_label && feedback->has_reward) return "'label' and 'reward' exclude each other";
    if (!has_label && !feedback->has_reward) return "the key 'label' or 'reward' is missing";
    return has_label ? read_label(parser, value, feedback) : nullptr;
}

const char *read_piece(csj_parser *parser, element piece, int type, bool is_strict, csj_feedback *feedback) {
    simdjson::dom::object object;
    if (piece.get_object().get(object)) {
        return fail(parser, std::string("expected a JSON object, found ") + name(piece.type()));
    }
    element value;
    if (const char *error = read_name(parser, object, "feedback_id", feedback->feedback_id)) return error;
    // Clipper passes over keys that it does not know.
    bool has_input = !object["input"].get(value);
    if (!(is_strict && has_input) && !object["query_id"].get(value)) return read_judgement(parser, object, value, feedback);
    if (is_strict && !object["uid"].get(value) && !value.is_int64()) {
        return fail(parser, std::string("uid: expected an integer, found ") + found_for_integer(value));
    }
    if (const char *error = read_name(parser, object, "uid", feedback->uid)) return error;
    if (is_strict && feedback->uid.kind == CSJ_ABSENT) return "the key 'uid' is missing";
    if (!is_strict && !object["reward"].get(value)) return "a 'reward' judges the answer to a query: name it by its 'query_id'";
    if (object["label"].get(value)) return "the key 'label' is missing";
    if (is_strict && !value.is_number()) {
        return fail(parser, std::string("label: expected a number, found ") + name(value.type()));
    }
    if (const char *error = read_label(parser, value, feedback)) return error;
    if (object["input"].get(parser->inputs)) return "the key 'input' or 'query_id' is missing";
    return measure(parser, parser->inputs, type, 0, feedback->byte_count);
}

const char *read_keys(csj_parser *parser, element document, int type, bool reads_user, csj_body *body) {
    simdjson::dom::object object;
    if (document.get_object().get(object)) {
        return fail(parser, std::string("expected a JSON object, found ") + name(document.type()));
    }
    element value;
    if (!object["version"].get(value)) {
        std::string_view text;
        if (value.get_string().get(text)) {
            return fail(parser, std::string("version: expected a string, found ") + name(value.type()));
        }
        body->version = text.data();
        body->version_length = text.size();
    }
    if (!object["timeout_micros"].get(value)) {
        if (value.get_uint64().get(body->timeout_micros) || body->timeout_micros == 0) {
            int64_t whole = 0;
            double number = 0;
            std::string found = name(value.type());
            if (!value.get_int64().get(whole)) {
                found = std::to_string(whole);
            } else if (!value.get_double().get(number) && number >= 0x1p64) {
                found = "a number beyond 64 bits";
            }
            return fail(parser, "timeout_micros: expected a positive integer, found " + found);
        }
        body->has_timeout = true;
    }
    if (reads_user) {
        if (const char *error = read_name(parser, object, "uid", body->uid)) return error;
    }
    parser->is_batch = false;
    if (!object["input"].get(parser->inputs)) {
        body->count = 1;
        return measure(parser, parser->inputs, type, 0, body->byte_count);
    }
    if (object["input_batch"].get(parser->inputs)) {
        return fail(parser, "the key 'input' or 'input_batch' is missing");
    }
    parser->is_batch = body->is_batch = true;
    array batch;
    if (parser->inputs.get_array().get(batch)) {
        return fail(parser, std::string("input_batch: expected an array of inputs, found ") + name(parser->inputs.type()));
    }
    for (element input : batch) {
        size_t size = 0;
        if (const char *error = measure(parser, input, type, body->count, size)) return error;
        body->byte_count += size;
        body->count++;
    }
    return nullptr;
}

} // namespace

csj_parser *csj_parser_create(void) { return new (std::nothrow) csj_parser; }

void csj_parser_destroy(csj_parser *parser) { delete parser; }

static const char *parse_document(csj_parser *parser, const uint8_t *json, size_t length, element &document) {
    if (length == 0) return "the body is empty; expected a JSON object";
    auto error = parse(parser, json, length, document);
    if (error) return fail(parser, std::string("malformed JSON: ") + simdjson::error_message(error));
    return nullptr;
}

const char *csj_parse(csj_parser *parser, const uint8_t *json, size_t length, int input_type, bool reads_user,
                      csj_body *body) {
    *body = csj_body{};
    element document;
    if (const char *error = parse_document(parser, json, length, document)) return error;
    return read_keys(parser, document, input_type, reads_user, body);
}

const char *csj_parse_feedback(csj_parser *parser, const uint8_t *json, size_t length, size_t *count,
                               bool *is_batch) {
    element document, updates;
    if (const char *error = parse_document(parser, json, length, document)) return error;
    parser->pieces.clear();
    *is_batch = false;
    simdjson::dom::object object;
    if (!document.get_object().get(object) && !object["updates"].get(updates)) {
        array pieces;
        if (updates.get_array().get(pieces)) {
            return fail(parser, std::string("updates: expected an array of objects, found ") + name(updates.type()));
        }
        *is_batch = true;
        for (element piece : pieces) parser->pieces.push_back(piece);
    } else {
        parser->pieces.push_back(document);
    }
    *count = parser->pieces.size();
    return nullptr;
}

const char *csj_read_feedback(csj_parser *parser, size_t index, int input_type, bool is_strict,
                              csj_feedback *feedback) {
    *feedback = csj_feedback{};
    parser->is_batch = false;
    return read_piece(parser, parser->pieces[index], input_type, is_strict, feedback);
}

void csj_label(csj_parser *parser, double *target) {
    if (!parser->label.empty()) memcpy(target, parser->label.data(), parser->label.size() * sizeof(double));
}

const char *csj_write(csj_parser *parser, int type, uint8_t *target, size_t *ends) {
    size_t offset = 0, index = 0;
    auto write = [&](element input) -> const char * {
        if (type == CSJ_STRING || type == CSJ_BYTES) {
            std::string_view text;
            if (input.get_string().get(text)) return "the body changed while it was read";
            ptrdiff_t size = (ptrdiff_t)text.size();
            if (type == CSJ_STRING) {
                memcpy(target + offset, text.data(), text.size());
            } else if ((size = decode_base64(text, target + offset)) < 0) {
                return fail(parser, place(parser->is_batch, index, -1) + ": not valid base64 (RFC 4648, padded)");
            }
            offset += (size_t)size;
        } else {
            array values;
            if (input.get_array().get(values)) return "the body changed while it was read";
            size_t width = element_width(type), item = 0;
            for (element value : values) {
                if (const char *error = write_number(parser, value, type, index, item, target + offset)) return error;
                offset += width;
                item++;
            }
        }
        ends[index++] = offset;
        return nullptr;
    };
    if (!parser->is_batch) return write(parser->inputs);
    array batch;
    if (parser->inputs.get_array().get(batch)) return "the body changed while it was read";
    for (element input : batch) {
        if (const char *error = write(input)) return error;
    }
    return nullptr;
}

void csj_parser_trim(csj_parser *parser) {
    if (parser->dom.capacity() > largest_kept) parser->dom = simdjson::dom::parser();
    if (parser->rewritten.capacity() > largest_kept) parser->rewritten = std::string();
    if (parser->pieces.capacity() > largest_kept / sizeof(element)) parser->pieces = {};
    if (parser->label.capacity() > largest_kept / sizeof(double)) parser->label = {};
}

// Whether a text begins as JSON does: a class's name or a long text mostly does not, and need not be copied to find that out.
static bool may_be_json(const uint8_t *text, size_t length) {
    size_t start = 0;
    while (start < length && strchr(" \t\n\r", text[start]) && text[start]) start++;
    return start < length && text[start] && strchr("{[\"-0123456789tfn", text[start]);
}

bool csj_is_json(csj_parser *parser, const uint8_t *text, size_t length) {
    element document;
    bool is_json = may_be_json(text, length) && !parse(parser, text, length, document);
    csj_parser_trim(parser);
    return is_json;
}

bool csj_parse_numbers(csj_parser *parser, const uint8_t *text, size_t length, size_t *count) {
    element document;
    array values;
    parser->label.clear();
    if (length == 0 || parse(parser, text, length, document) || document.get_array().get(values)) return false;
    for (element value : values) {
        double number;
        if (!as_double(value, number)) return false;
        parser->label.push_back(number);
    }
    *count = parser->label.size();
    return true;
}

const char *csj_parse_string(csj_parser *parser, const uint8_t *text, size_t length, size_t *content_length) {
    element document;
    std::string_view content;
    if (length == 0 || parse(parser, text, length, document) || document.get_string().get(content)) return nullptr;
    *content_length = content.size();
    return content.data();
}

bool csj_parse_member(csj_parser *parser, const uint8_t *text, size_t length, const char *name, size_t name_length,
                      double *number) {
    element document;
    simdjson::dom::object object;
    if (length == 0 || parse(parser, text, length, document) || document.get_object().get(object)) return false;
    bool found = false;
    for (auto member : object) {
        double value;
        if (!as_double(member.value, value)) return false;
        // Of a name that is there twice, the first counts.
        if (!found && member.key == std::string_view(name, name_length)) {
            *number = value;
            found = true;
        }
    }
    return found;
}
