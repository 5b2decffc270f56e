/* test_streams - streams of requests, fine and broken, cut at every place.
 *
 * Does:   tables of streams with the calls and statuses that must come of them, each cut into
 *         single bytes and at every place; every limit; every form of smuggling and the CVEs by
 *         name; random mixtures and damage.
 * Not:    paths and methods one by one: test_route.c. Answers to the letter: test_render.c.
 * Holds:  H1, H2, G1, G2, C1.
 * Limits: -
 * See:    src/http/conn.h; CVE-2023-30589, CVE-2024-27982, CVE-2024-22019.
 */
#include "drive.h"

/* ---- What is fine ---- */

static const struct stream_row good_rows[] = {
    ROW("nothing", "", "", "", false),
    ROW("empty lines only", "\r\n\r\n", "", "", false),
    ROW("half a request", "GET /kvs/a HTT", "", "", false),
    ROW("get", "GET /kvs/a" V11 H "\r\n", "GET a", "200", false),
    ROW("two", "GET /kvs/a" V11 H "\r\nGET /kvs/b" V11 H "\r\n", "GET a;GET b", "200 200", false),
    ROW("empty lines before", "\r\n\r\nGET /kvs/a" V11 H "\r\n\r\n" OK_AFTER, "GET a;GET after",
        "200 200", false),
    ROW("put", "PUT /kvs/a" V11 H "Content-Length: 11\r\n\r\n{\"value\":1}" OK_AFTER,
        "PUT a=1;GET after", "201 200", false),
    ROW("get with a body whose length is one short",
        "GET /kvs/a" V11 H "Content-Length: 25\r\n\r\n{\"causal-metadata\":\"t-_9\"}" OK_AFTER, "",
        "400 501 close", true),
    ROW("get with a body of the right length",
        "GET /kvs/a" V11 H "Content-Length: 26\r\n\r\n{\"causal-metadata\":\"t-_9\"}" OK_AFTER,
        "GET a [t-_9];GET after", "200 200", false),
    ROW("delete", "DELETE /kvs/a" V11 H "\r\n" OK_AFTER, "DELETE a;GET after", "200 200", false),
    ROW("count", "GET /shard/key-count/s3" V11 H "\r\n", "COUNT 3", "200", false),
    ROW("local", "GET /view" V11 H "\r\nGET /shard/members/s12" V11 H "\r\n",
        "VIEW;SHARD_MEMBERS 12", "200 200", false),
    ROW("local with a body that nobody wants",
        "GET /view" V11 H "Content-Length: 3\r\n\r\nabc" OK_AFTER, "VIEW;GET after", "200 200",
        false),
    ROW("local with a chunked body that nobody wants",
        "GET /view" V11 H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" OK_AFTER,
        "VIEW;GET after", "200 200", false),
    ROW("names of headers in any case",
        "PUT /kvs/a" V11 "hOST: a\r\nCONTENT-LENGTH:11\r\ncontent-TYPE:\tApplication/JSON \r\n\r\n"
        "{\"value\":1}",
        "PUT a=1", "201", false),
    ROW("contexts", "GET /kvs/a" V11 H "Causal-Context: x,, y\r\ncausal-context: z , x\r\n\r\n",
        "GET a [x] [y] [z]", "200", false),
    ROW("an empty header value", "GET /kvs/a" V11 H "Causal-Context:\r\nAccept:\r\n\r\n", "GET a",
        "200", false),
    ROW("headers unknown here", "GET /kvs/a" V11 H "X: y\r\nAccept-Encoding: gzip\r\n\r\n", "GET a",
        "200", false),
    ROW("a target with its host", "GET http://a:1/kvs/b" V11 H "\r\n", "GET b", "200", false),
    ROW("upgrades are not made",
        "GET /kvs/a" V11 H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n" OK_AFTER,
        "GET a;GET after", "200 200", false),
};

static void good_streams(void **state)
{
    (void)state;
    CHECK_ROWS(good_rows);
}

/* ---- Closing, versions ---- */

static const struct stream_row closing_rows[] = {
    ROW("the client asks for it", "GET /kvs/a" V11 H "Connection: close\r\n\r\n" OK_AFTER, "GET a",
        "200 close", true),
    ROW("also among others", "GET /kvs/a" V11 H "Connection: foo, CLOSE\r\n\r\n" OK_AFTER, "GET a",
        "200 close", true),
    ROW("with an error", "GET /nope" V11 H "Connection: close\r\n\r\n" OK_AFTER, "", "404 close",
        true),
    ROW("HTTP/1.0", "GET /kvs/a HTTP/1.0\r\n\r\n" OK_AFTER, "GET a", "200 close", true),
    ROW("HTTP/1.0 kept alive", "GET /kvs/a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" OK_AFTER,
        "GET a;GET after", "200 200", false),
    ROW("HTTP/1.0 with a body",
        "PUT /kvs/a HTTP/1.0\r\nContent-Length: 11\r\n\r\n{\"value\":1}" OK_AFTER, "PUT a=1",
        "201 close", true),
    ROW("HTTP/2.0", "GET /kvs/a HTTP/2.0\r\n" H "\r\n", "", "505 close", true),
    ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "505 close", true),
    ROW("HTTP/0.9", "GET /kvs/a\r\n\r\n", "", "400 close", true),
    ROW("HTTP/1.2", "GET /kvs/a HTTP/1.2\r\n" H "\r\n", "", "505 close", true),
    ROW("lower-case version", "GET /kvs/a http/1.1\r\n" H "\r\n", "", "400 close", true),
    ROW("ICE", "SOURCE /kvs/a ICE/1.0\r\n" H "\r\n", "", "400 close", true),
    ROW("TLS", "\x16\x03\x01\x02", "", "400 close", true),
    ROW("unknown method", "BREW /kvs/a" V11 H "\r\n" OK_AFTER, "", "501 close", true),
    ROW("lower-case method", "get /kvs/a" V11 H "\r\n" OK_AFTER, "", "501 close", true),
};

static void closing_streams(void **state)
{
    (void)state;
    CHECK_ROWS(closing_rows);
}

/* ---- Mistakes after which the connection goes on ---- */

static const struct stream_row usable_rows[] = {
    ROW("unknown path", "GET /nope" V11 H "\r\n" OK_AFTER, "GET after", "404 200", false),
    ROW("unknown path with a body", "PUT /nope" V11 H "Content-Length: 3\r\n\r\nabc" OK_AFTER,
        "GET after", "404 200", false),
    ROW("unknown path with chunks",
        "PUT /nope" V11 H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" OK_AFTER,
        "GET after", "404 200", false),
    ROW("method", "POST /kvs/a" V11 H "Content-Length: 3\r\n\r\nabc" OK_AFTER, "GET after",
        "405 200", false),
    ROW("no value", "PUT /kvs/a" V11 H "\r\n" OK_AFTER, "GET after", "400 200", false),
    ROW("bad JSON", "PUT /kvs/a" V11 H "Content-Length: 3\r\n\r\n{x}" OK_AFTER, "GET after",
        "400 200", false),
    ROW("bad UTF-8",
        "PUT /kvs/a" V11 H "Content-Length: 14\r\n\r\n{\"value\":\"\xFF\xFF\"}" OK_AFTER,
        "GET after", "400 200", false),
    ROW("bad escape in a key", "GET /kvs/%zz" V11 H "\r\n" OK_AFTER, "GET after", "400 200", false),
    ROW("no Host", "GET /kvs/a" V11 "\r\n" OK_AFTER, "GET after", "400 200", false),
    ROW("no length for a raw value", "PUT /kvs/a" V11 H "Content-Type: text/plain\r\n\r\n" OK_AFTER,
        "GET after", "411 200", false),
    ROW("compressed",
        "PUT /kvs/a" V11 H "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc" OK_AFTER,
        "GET after", "415 200", false),
    ROW("another charset",
        "PUT /kvs/a" V11 H "Content-Type: application/json; charset=latin1\r\n"
        "Content-Length: 11\r\n\r\n{\"value\":1}" OK_AFTER,
        "GET after", "415 200", false),
    ROW("no count of shards", "PUT /shard/reshard" V11 H "Content-Length: 2\r\n\r\n{}" OK_AFTER,
        "GET after", "400 200", false),
    ROW("Prefer", "GET /kvs/a" V11 H "Prefer: wait=31\r\n\r\n" OK_AFTER, "GET after", "400 200",
        false),
    ROW("another expectation", "GET /kvs/a" V11 H "Expect: tea\r\n\r\n" OK_AFTER, "GET after",
        "417 200", false),
};

static void mistakes_that_do_not_close(void **state)
{
    (void)state;
    CHECK_ROWS(usable_rows);
}

/* ---- Smuggling: each must end the connection before anybody can disagree ---- */

#define SMUGGLED "\r\n\r\nGET /kvs/smuggled" V11 H "\r\n"

static const struct stream_row smuggling_rows[] = {
    ROW("both lengths",
        "PUT /kvs/a" V11 H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0" SMUGGLED, "",
        "400 close", true),
    ROW("both lengths, the other order",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0" SMUGGLED, "",
        "400 close", true),
    ROW("two lengths", "PUT /kvs/a" V11 H "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" SMUGGLED,
        "", "400 close", true),
    ROW("two equal lengths",
        "PUT /kvs/a" V11 H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a list of lengths", "PUT /kvs/a" V11 H "Content-Length: 5, 5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a signed length", "PUT /kvs/a" V11 H "Content-Length: +5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a negative length", "PUT /kvs/a" V11 H "Content-Length: -5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a hexadecimal length", "PUT /kvs/a" V11 H "Content-Length: 0x5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("blanks in a length", "PUT /kvs/a" V11 H "Content-Length: 1 1\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("an empty length", "PUT /kvs/a" V11 H "Content-Length:\r\n\r\n" SMUGGLED, "", "400 close",
        true),
    ROW("a length beyond 64 bits",
        "PUT /kvs/a" V11 H "Content-Length: 18446744073709551617\r\n\r\n" SMUGGLED, "", "400 close",
        true),
    ROW("a blank before the colon", "PUT /kvs/a" V11 H "Content-Length : 5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a tab before the colon", "PUT /kvs/a" V11 H "Content-Length\t: 5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("a name with a blank", "PUT /kvs/a" V11 H "Content Length: 5\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("no name", "PUT /kvs/a" V11 H ": 5\r\n\r\n" SMUGGLED, "", "400 close", true),
    ROW("no colon", "PUT /kvs/a" V11 H "Content-Length\r\n\r\n" SMUGGLED, "", "400 close", true),
    ROW("TE identity", "PUT /kvs/a" V11 H "Transfer-Encoding: identity\r\n\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("TE chunked, x", "PUT /kvs/a" V11 H "Transfer-Encoding: chunked, x\r\n\r\n0" SMUGGLED, "",
        "400 close", true),
    ROW("TE x, chunked", "PUT /kvs/a" V11 H "Transfer-Encoding: x, chunked\r\n\r\n0" SMUGGLED, "",
        "400 close", true),
    ROW("TE gzip, chunked", "PUT /kvs/a" V11 H "Transfer-Encoding: gzip, chunked\r\n\r\n0" SMUGGLED,
        "", "400 close", true),
    ROW("TE chunked, chunked",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked, chunked\r\n\r\n0" SMUGGLED, "", "400 close",
        true),
    ROW("TE twice",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0" SMUGGLED,
        "", "400 close", true),
    ROW("TE twice, the second other",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
        "0" SMUGGLED,
        "", "400 close", true),
    ROW("TE xchunked", "PUT /kvs/a" V11 H "Transfer-Encoding: xchunked\r\n\r\n0" SMUGGLED, "",
        "400 close", true),
    ROW("TE with a vertical tab",
        "PUT /kvs/a" V11 H "Transfer-Encoding: \x0b"
        "chunked\r\n\r\n0" SMUGGLED,
        "", "400 close", true),
    ROW("TE empty", "PUT /kvs/a" V11 H "Transfer-Encoding:\r\n\r\n0" SMUGGLED, "", "400 close",
        true),
    ROW("TE in HTTP/1.0",
        "PUT /kvs/a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0" SMUGGLED,
        "", "400 close", true),
    ROW("TE with a blank before the colon",
        "PUT /kvs/a" V11 H "Transfer-Encoding : chunked\r\n\r\n0" SMUGGLED, "", "400 close", true),
    ROW("bare LF after a header", "GET /kvs/a" V11 "Host: a\n\r\n" SMUGGLED, "", "400 close", true),
    ROW("bare LF after the request line", "GET /kvs/a HTTP/1.1\n" H "\r\n" SMUGGLED, "",
        "400 close", true),
    ROW("bare LF before", "\nGET /kvs/a" V11 H "\r\n", "", "400 close", true),
    ROW("bare LF for an empty line", "GET /kvs/a" V11 H "\n" OK_AFTER, "", "400 close", true),
    ROW("bare CR in a value", "GET /kvs/a" V11 H "X: a\rb\r\n\r\n", "", "400 close", true),
    ROW("bare CR in a name", "GET /kvs/a" V11 H "X\rY: a\r\n\r\n", "", "400 close", true),
    ROW("bare CR in a target", "GET /kvs/a\rb" V11 H "\r\n", "", "400 close", true),
    ROW("CR CR LF", "GET /kvs/a" V11 H "X: a\r\r\n\r\n", "", "400 close", true),
    ROW("NUL in a value", "GET /kvs/a" V11 H "X: a\0b\r\n\r\n", "", "400 close", true),
    ROW("NUL in a target", "GET /kvs/a\0" V11 H "\r\n", "", "400 close", true),
    ROW("DEL in a value", "GET /kvs/a" V11 H "X: a\x7f\r\n\r\n", "", "400 close", true),
    ROW("folded with a blank", "GET /kvs/a" V11 H "X: a\r\n b\r\n\r\n", "", "400 close", true),
    ROW("folded with a tab", "GET /kvs/a" V11 H "X: a\r\n\tb\r\n\r\n", "", "400 close", true),
    ROW("folded before the first header", "GET /kvs/a" V11 " X: a\r\n" H "\r\n", "", "400 close",
        true),
    ROW("two blanks after the method", "GET  /kvs/a" V11 H "\r\n", "", "400 close", true),
    ROW("two blanks before the version", "GET /kvs/a  HTTP/1.1\r\n" H "\r\n", "", "400 close",
        true),
    ROW("a blank after the version", "GET /kvs/a HTTP/1.1 \r\n" H "\r\n", "", "400 close", true),
    ROW("a tab for a blank", "GET\t/kvs/a HTTP/1.1\r\n" H "\r\n", "", "400 close", true),
    ROW("a blank first", " GET /kvs/a" V11 H "\r\n", "", "400 close", true),
    ROW("two hosts", "GET /kvs/a" V11 H H "\r\n", "", "400 close", true),
    ROW("a host with a blank", "GET /kvs/a" V11 "Host: a b\r\n\r\n", "", "400 close", true),
    ROW("a host with a path", "GET /kvs/a" V11 "Host: a/b\r\n\r\n", "", "400 close", true),
    ROW("a header without a name", "GET /kvs/a" V11 H ": x\r\n\r\n", "", "400 close", true),
    ROW("a blank in a header's name", "GET /kvs/a" V11 H "A B: x\r\n\r\n", "", "400 close", true),
    ROW("a mark in a header's name", "GET /kvs/a" V11 H "A(B): x\r\n\r\n", "", "400 close", true),
    ROW("what closes counts before what does not",
        "PUT /kvs/a" V11 "Prefer: wait=99\r\nTransfer-Encoding: identity\r\n\r\n" SMUGGLED, "",
        "400 close", true),
};

static void smuggling(void **state)
{
    (void)state;
    CHECK_ROWS(smuggling_rows);
}

/* llhttp below 8.1.1 takes a bare CR for the end of a header line: whoever stands in front sees one
 * header, it sees two. */
static void cve_2023_30589_bare_cr_ends_no_header(void **state)
{
    (void)state;
    static const struct stream_row rows[] = {
        ROW("CVE-2023-30589",
            "PUT /kvs/a" V11 H "Dummy: x\rTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"
            "0" SMUGGLED,
            "", "400 close", true),
        ROW("CVE-2023-30589, the length hidden",
            "PUT /kvs/a" V11 H "Dummy: x\rContent-Length: 25\r\n" SMUGGLED, "", "400 close", true),
    };
    CHECK_ROWS(rows);
}

/* llhttp below 9.2.1 reads over a blank in front of Content-Length (a folded line to others). */
static void cve_2024_27982_length_behind_a_fold(void **state)
{
    (void)state;
    static const struct stream_row rows[] = {
        ROW("CVE-2024-27982", "PUT /kvs/a" V11 H " Content-Length: 42\r\n" SMUGGLED, "",
            "400 close", true),
        ROW("CVE-2024-27982, behind another header",
            "PUT /kvs/a" V11 H "X: y\r\n Content-Length: 42\r\n" SMUGGLED, "", "400 close", true),
        ROW("CVE-2024-27982, a tab", "PUT /kvs/a" V11 H "\tContent-Length: 42\r\n" SMUGGLED, "",
            "400 close", true),
    };
    CHECK_ROWS(rows);
}

/* ---- Chunks ---- */

#define CHUNKED "PUT /kvs/a" V11 H "Transfer-Encoding: Chunked\r\n\r\n"

static const struct stream_row chunk_rows[] = {
    ROW("one", CHUNKED "b\r\n{\"value\":1}\r\n0\r\n\r\n" OK_AFTER, "PUT a=1;GET after", "201 200",
        false),
    ROW("many",
        CHUNKED "1\r\n{\r\n08\r\n\"value\":\r\n1\r\n1\r\n000001\r\n}\r\n00\r\n\r\n" OK_AFTER,
        "PUT a=1;GET after", "201 200", false),
    ROW("extensions and trailers",
        CHUNKED
        "B;a=b;c=\"d\"\r\n{\"value\":1}\r\n0;x\r\nX: y\r\nContent-Length: 5\r\n\r\n" OK_AFTER,
        "PUT a=1;GET after", "201 200", false),
    ROW("none", CHUNKED "0\r\n\r\n" OK_AFTER, "GET after", "400 200", false),
    ROW("raw",
        "PUT /kvs/a" V11 H "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" OK_AFTER,
        "PUT a=(text/plain)abc;GET after", "201 200", false),
    ROW("longer than its size", CHUNKED "2\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("something for the CR behind the data", CHUNKED "2\r\nabX\n0\r\n\r\n", "", "400 close",
        true),
    ROW("something for the LF behind the data", CHUNKED "2\r\nab\rX0\r\n\r\n", "", "400 close",
        true),
    ROW("something for the LF behind a size", CHUNKED "2\rXab\r\n0\r\n\r\n", "", "400 close", true),
    ROW("something for the LF behind a trailer", CHUNKED "0\r\nX: y\rZ\r\n", "", "400 close", true),
    ROW("something for the last LF", CHUNKED "0\r\n\rX", "", "400 close", true),
    ROW("shorter than its size", CHUNKED "4\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("no digit", CHUNKED "\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("no hexadecimal digit", CHUNKED "g\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("0x", CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("a sign", CHUNKED "+3\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("a blank before", CHUNKED " 3\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("a blank behind", CHUNKED "3 \r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("a size beyond 64 bits", CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n", "", "400 close",
        true),
    ROW("LF behind a size", CHUNKED "3\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("CR behind a size", CHUNKED "3\rabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("LF behind the data", CHUNKED "3\r\nabc\n0\r\n\r\n", "", "400 close", true),
    ROW("CR in an extension", CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("LF in an extension", CHUNKED "3;a\nb\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("NUL in an extension", CHUNKED "3;a\0b\r\nabc\r\n0\r\n\r\n", "", "400 close", true),
    ROW("LF in a trailer", CHUNKED "0\r\nX: y\n\r\n", "", "400 close", true),
    ROW("a folded trailer", CHUNKED "0\r\nX: y\r\n z\r\n\r\n", "", "400 close", true),
    ROW("LF at the end", CHUNKED "0\r\n\n", "", "400 close", true),
    ROW("broken while it is dropped",
        "PUT /nope" V11 H "Transfer-Encoding: chunked\r\n\r\nx\r\n" OK_AFTER, "", "404", true),
    ROW("broken while it is dropped for a local call",
        "GET /view" V11 H "Transfer-Encoding: chunked\r\n\r\nx\r\n" OK_AFTER, "", "400 close",
        true),
};

static void chunked_bodies(void **state)
{
    (void)state;
    CHECK_ROWS(chunk_rows);
}

/* A chunk per byte of a long value, which itself may not be cut wrongly. */
static void many_small_chunks(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct buf in = BUF_EMPTY;
    struct buf want = BUF_EMPTY;
    buf_append_slice(&in, SLICE_LIT(CHUNKED "9\r\n{\"value\":\r\n1\r\n\"\r\n"));
    buf_append_slice(&want, SLICE_LIT("PUT a=\""));
    for (int i = 0; i < 3000; i++) {
        buf_append_slice(&in, SLICE_LIT("1;e\r\n"));
        buf_u8(&in, (uint8_t)('a' + i % 26));
        buf_append_slice(&in, SLICE_LIT("\r\n"));
        buf_u8(&want, (uint8_t)('a' + i % 26));
    }
    buf_append_slice(&in, SLICE_LIT("2\r\n\"}\r\n0\r\n\r\n" OK_AFTER));
    buf_append_slice(&want, SLICE_LIT("\";GET after"));
    struct drive drive;
    drive_run(&drive, &limits, buf_slice(&in), (struct cut){7, 100}, false);
    assert_true(slice_equal(buf_slice(&drive.called), buf_slice(&want)));
    drive_compare(&limits, buf_slice(&in), (struct cut){7, 100}, false);
    drive_compare(&limits, buf_slice(&in), (struct cut){0, 1}, false);
    drive_fini(&drive);
    buf_fini(&in);
    buf_fini(&want);
}

/* Servers that had no such limit could be made to read on for ever at no cost. */
static void cve_2024_22019_extensions_are_limited(void **state)
{
    (void)state;
    struct http_limits limits = drive_limits();
    struct buf in = BUF_EMPTY;
    struct buf statuses = BUF_EMPTY;
    buf_append_slice(&in, SLICE_LIT(CHUNKED));
    for (int i = 0; i < 300; i++)
        buf_append_slice(&in, SLICE_LIT("1;0123456789012345678901234567890123456789012345678901"
                                        "234567890123456789\r\na\r\n"));
    struct drive drive;
    drive_run(&drive, &limits, buf_slice(&in), (struct cut){0, 0}, false);
    seen_statuses(buf_slice(&drive.output), &statuses);
    expect_text(buf_slice(&statuses), "400 close");
    drive_compare(&limits, buf_slice(&in), (struct cut){0, 61}, false);
    drive_fini(&drive);
    buf_fini(&in);
    buf_fini(&statuses);
}

/* ---- Expect ---- */

static const struct stream_row expect_rows[] = {
    ROW("plain",
        "PUT /kvs/a" V11 H
        "Expect: 100-Continue\r\nContent-Length: 11\r\n\r\n{\"value\":1}" OK_AFTER,
        "PUT a=1;GET after", "100 201 200", false),
    ROW("chunked",
        "PUT /kvs/a" V11 H "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
        "b\r\n{\"value\":1}\r\n0\r\n\r\n" OK_AFTER,
        "PUT a=1;GET after", "100 201 200", false),
    ROW("before the body", "PUT /kvs/a" V11 H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n",
        "", "100", false),
    ROW("without a body", "GET /kvs/a" V11 H "Expect: 100-continue\r\n\r\n" OK_AFTER,
        "GET a;GET after", "200 200", false),
    ROW("behind others",
        "GET /kvs/a" V11 H "\r\nPUT /kvs/a" V11 H
        "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n"
        "{\"value\":1}" OK_AFTER,
        "GET a;PUT a=1;GET after", "200 100 201 200", false),
    ROW("refused: the client may send its body or not",
        "PUT /nope" V11 H "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n" OK_AFTER, "",
        "404 close", true),
    ROW("HTTP/1.0 knows none",
        "PUT /kvs/a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n{\"value\":1}",
        "PUT a=1", "201 close", true),
};

static void expect_100_continue(void **state)
{
    (void)state;
    CHECK_ROWS(expect_rows);
}

/* ---- Limits ---- */

static struct http_limits small_limits(void)
{
    struct http_limits limits = drive_limits();
    limits.target_bytes_max = 30;
    limits.head_bytes_max = 200;
    limits.header_count_max = 3;
    limits.key_bytes_max = 10;
    limits.value_bytes_max = 8;
    limits.body_bytes_max = 40;
    limits.drain_bytes_max = 60;
    limits.calls_max = 2;
    return limits;
}

#define TEN "0123456789"

static const struct stream_row limit_rows[] = {
    ROW("target that fits", "GET /kvs/" TEN V11 H "\r\n", "GET " TEN, "200", false),
    ROW("target", "GET /kvs/" TEN TEN "xxxxxx" V11 H "\r\n" OK_AFTER, "", "414 close", true),
    ROW("target that never ends", "GET /kvs/" TEN TEN TEN TEN TEN TEN TEN TEN, "", "414 close",
        true),
    ROW("key", "GET /kvs/" TEN "x" V11 H "\r\n" OK_AFTER, "GET after", "400 200", false),
    ROW("key, by its decoded length", "GET /kvs/012345678%41" V11 H "\r\n", "GET 012345678A", "200",
        false),
    ROW("headers that never end",
        "GET /kvs/a" V11 H
        "X: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN,
        "", "431 close", true),
    ROW("headers",
        "GET /kvs/a" V11 H "X: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
        "0123456\r\n\r\n",
        "", "431 close", true),
    ROW("header lines that fit", "GET /kvs/a" V11 H "X: a\r\nY: b\r\n\r\n", "GET a", "200", false),
    ROW("header lines", "GET /kvs/a" V11 H "X: a\r\nY: b\r\nZ: c\r\n\r\n" OK_AFTER, "", "431 close",
        true),
    ROW("value that fits",
        "PUT /kvs/a" V11 H "Content-Length: 18\r\n\r\n{\"value\":12345678}" OK_AFTER,
        "PUT a=12345678;GET after", "201 200", false),
    ROW("value", "PUT /kvs/a" V11 H "Content-Length: 19\r\n\r\n{\"value\":123456789}" OK_AFTER,
        "GET after", "413 200", false),
    ROW("raw value",
        "PUT /kvs/a" V11 H "Content-Type: a/b\r\nContent-Length: 5\r\n\r\n12345" OK_AFTER,
        "GET after", "413 200", false),
    ROW("raw value that fits",
        "PUT /kvs/a" V11 H "Content-Type: a/b\r\nContent-Length: 4\r\n\r\n1234" OK_AFTER,
        "PUT a=(a/b)1234;GET after", "201 200", false),
    ROW("body", "PUT /kvs/a" V11 H "Content-Length: 41\r\n\r\n" TEN TEN TEN TEN "x" OK_AFTER,
        "GET after", "413 200", false),
    ROW("body too long to drop", "PUT /kvs/a" V11 H "Content-Length: 61\r\n\r\n" OK_AFTER, "",
        "413 close", true),
    ROW("body of nearly 2^64",
        "PUT /kvs/a" V11 H "Content-Length: 18446744073709551615\r\n\r\n" OK_AFTER, "", "413 close",
        true),
    ROW("body for a local call, too long to drop",
        "GET /view" V11 H "Content-Length: 61\r\n\r\n" OK_AFTER, "", "413 close", true),
    ROW("chunks",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\n\r\n28\r\n" TEN TEN TEN TEN
        "\r\n1\r\nx\r\n0\r\n\r\n" OK_AFTER,
        "GET after", "413 200", false),
    ROW("chunks too long to drop",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\n\r\n28\r\n" TEN TEN TEN TEN
        "\r\n1\r\nx\r\n14\r\n" TEN TEN "\r\n0\r\n\r\n" OK_AFTER,
        "", "413", true),
    ROW("a chunk of nearly 2^64",
        "PUT /kvs/a" V11 H "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nffffffffffffffff\r\n", "",
        "413 close", true),
    ROW("a chunk of nearly 2^64, dropped",
        "PUT /nope" V11 H "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nffffffffffffffff\r\n", "",
        "404", true),
    ROW("413 with Expect",
        "PUT /kvs/a" V11 H "Expect: 100-continue\r\nContent-Length: 41\r\n\r\n" OK_AFTER, "",
        "413 close", true),
};

static void limits_refuse(void **state)
{
    (void)state;
    struct http_limits limits = small_limits();
    for (size_t i = 0; i < sizeof(limit_rows) / sizeof(limit_rows[0]); i++)
        check_row(&limits, &limit_rows[i]);
}

static void contexts_are_limited(void **state)
{
    (void)state;
    static const struct stream_row rows[] = {
        ROW("eight", "GET /kvs/a" V11 H "Causal-Context: a,b,c,d,e,f,g,h\r\n\r\n",
            "GET a [a] [b] [c] [d] [e] [f] [g] [h]", "200", false),
        ROW("nine", "GET /kvs/a" V11 H "Causal-Context: a,b,c,d,e,f,g,h,i\r\n\r\n" OK_AFTER,
            "GET after", "400 200", false),
        ROW("eight and one in the body",
            "GET /kvs/a" V11 H "Causal-Context: a,b,c,d,e,f,g,h\r\nContent-Length: 23\r\n\r\n"
            "{\"causal-metadata\":\"i\"}" OK_AFTER,
            "GET after", "400 200", false),
        ROW("eight and one of them in the body",
            "GET /kvs/a" V11 H "Causal-Context: a,b,c,d,e,f,g,h\r\nContent-Length: 23\r\n\r\n"
            "{\"causal-metadata\":\"h\"}" OK_AFTER,
            "GET a [a] [b] [c] [d] [e] [f] [g] [h];GET after", "200 200", false),
    };
    CHECK_ROWS(rows);
}

/* ---- Random ---- */

static void put_random_row(struct rng *rng, struct buf *in)
{
    static const struct {
        const struct stream_row *rows; /* some table */
        size_t count;                  /* of it */
    } tables[] = {
        {good_rows, sizeof(good_rows) / sizeof(good_rows[0])},
        {usable_rows, sizeof(usable_rows) / sizeof(usable_rows[0])},
        {chunk_rows, 4},
        {expect_rows, sizeof(expect_rows) / sizeof(expect_rows[0])},
        {smuggling_rows, sizeof(smuggling_rows) / sizeof(smuggling_rows[0])},
    };
    size_t table = rng_below(rng, rng_chance(rng, 1, 6) ? 5 : 4);
    buf_append_slice(in, tables[table].rows[rng_below(rng, tables[table].count)].in);
}

/* Streams of several requests, some with a damaged byte, cut at random. */
static void random_streams_do_not_depend_on_cuts(void **state)
{
    (void)state;
    struct rng rng = unit_rng();
    struct http_limits limits = drive_limits();
    struct buf in = BUF_EMPTY;
    for (int round = 0; round < 3000; round++) {
        buf_reset(&in);
        for (uint64_t left = rng_between(&rng, 1, 5); left > 0; left--)
            put_random_row(&rng, &in);
        if (rng_chance(&rng, 1, 2) && in.len > 0)
            in.ptr[rng_below(&rng, in.len)] = (uint8_t)rng_below(&rng, 256);
        limits.calls_max = (uint32_t)rng_between(&rng, 1, 8);
        struct cut cut = {rng_between(&rng, 1, 40), rng_between(&rng, 1, 90)};
        drive_compare(&limits, buf_slice(&in), cut, rng_chance(&rng, 1, 2));
    }
    buf_fini(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_streams),
        cmocka_unit_test(closing_streams),
        cmocka_unit_test(mistakes_that_do_not_close),
        cmocka_unit_test(smuggling),
        cmocka_unit_test(cve_2023_30589_bare_cr_ends_no_header),
        cmocka_unit_test(cve_2024_27982_length_behind_a_fold),
        cmocka_unit_test(chunked_bodies),
        cmocka_unit_test(many_small_chunks),
        cmocka_unit_test(cve_2024_22019_extensions_are_limited),
        cmocka_unit_test(expect_100_continue),
        cmocka_unit_test(limits_refuse),
        cmocka_unit_test(contexts_are_limited),
        cmocka_unit_test(random_streams_do_not_depend_on_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
