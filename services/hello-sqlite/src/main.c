/* A database in memory with full-text search; what is found is deflated and inflated again.
 * Prints one line per step and "hello-sqlite: ok"; exit code 1 says that a step went wrong. */

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { ROWS = 1000, ROOM = 1 << 16 };

static int failed(const char *step, const char *why)
{
    fprintf(stderr, "hello-sqlite: %s: %s\n", step, why);
    return 1;
}

static int fill(sqlite3 *db)
{
    static const char *const make =
        "CREATE VIRTUAL TABLE note USING fts5(body);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        "INSERT INTO note SELECT 'note ' || i || CASE i % 100 WHEN 0 THEN ' of a hundred' ELSE '' END"
        " FROM n;";
    char *why = NULL;
    if (sqlite3_exec(db, make, NULL, NULL, &why) == SQLITE_OK) return 0;
    failed("fill", why);
    sqlite3_free(why);
    return 1;
}

/* Joins what a search finds, each with a newline; the number of rows, or -1. */
static int search(sqlite3 *db, const char *words, char *found, size_t room)
{
    sqlite3_stmt *query = NULL;
    int rows = 0, state;
    size_t used = 0;
    if (sqlite3_prepare_v2(db, "SELECT body FROM note WHERE note MATCH ?1", -1, &query, NULL) != SQLITE_OK)
        return -1;
    sqlite3_bind_text(query, 1, words, -1, SQLITE_STATIC);
    while ((state = sqlite3_step(query)) == SQLITE_ROW) {
        int wrote = snprintf(found + used, room - used, "%s\n", (const char *)sqlite3_column_text(query, 0));
        if (wrote < 0 || (size_t)wrote >= room - used) break;
        used += (size_t)wrote;
        rows++;
    }
    sqlite3_finalize(query);
    return state == SQLITE_DONE ? rows : -1;
}

int main(void)
{
    static char found[ROOM], again[ROOM];
    static unsigned char packed[ROOM];
    sqlite3 *db = NULL;

    if (sqlite3_open(":memory:", &db) != SQLITE_OK) return failed("open", sqlite3_errmsg(db));
    if (fill(db) != 0) return 1;
    int hundreds = search(db, "hundred", found, sizeof found);
    if (hundreds != ROWS / 100) return failed("search", sqlite3_errmsg(db));
    int rows = search(db, "note", found, sizeof found);
    if (rows != ROWS) return failed("search", sqlite3_errmsg(db));
    printf("SQLite %s found %d and %d rows\n", sqlite3_libversion(), hundreds, rows);
    sqlite3_close(db);

    uLongf size = sizeof packed, back = sizeof again;
    uLong whole = (uLong)strlen(found) + 1;
    if (compress2(packed, &size, (const Bytef *)found, whole, 9) != Z_OK) return failed("deflate", "no");
    if (uncompress((Bytef *)again, &back, packed, size) != Z_OK) return failed("inflate", "no");
    if (back != whole || memcmp(found, again, whole) != 0) return failed("inflate", "another text");
    printf("zlib %s packed %lu bytes into %lu\n", zlibVersion(), whole, size);
    puts("hello-sqlite: ok");
    return 0;
}
