/* charset_tables.h -- the tables of charset.c; nobody else includes it. Made by tools/charset-tables. */
#ifndef CORE_CHARSET_TABLES_H
#define CORE_CHARSET_TABLES_H

#include <stddef.h>
#include <stdint.h>

enum { CHARSET_TABLES_SINGLES = 11 };   /* in the order of enum charset_g1, from CHARSET_G1_LATIN1 on */

/* All: BMP code points, 0 where there is no character. */
extern const uint16_t charset_tables_single[CHARSET_TABLES_SINGLES][96];        /* 0xa0 to 0xff */
extern const uint16_t charset_tables_jis_x_0208[94 * 94];       /* row, column; with the vendors' rows 13 and 89 to 92 */
extern const uint16_t charset_tables_jis_x_0212[94 * 94];
extern const uint16_t charset_tables_ks_x_1001[94 * 94];
extern const uint16_t charset_tables_gbk[126 * 190];            /* 0x81 to 0xfe, 0x40 to 0xfe without 0x7f */

/* GB 18030 codes of four bytes, counted from 81 30 81 30: from `code` to the next run's, `first` and what follows it. */
struct charset_tables_run { uint16_t code, first; };
extern const struct charset_tables_run charset_tables_gb18030[];
extern const size_t charset_tables_gb18030_n;

#endif
