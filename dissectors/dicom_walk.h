/* dicom_walk.h -- steps through the elements of a data set (PS3.5 section 7) of which the beginning is at hand.
 *
 * What a step says depends on the bytes before its end only: with more of the data set it says the same.
 */
#ifndef DISSECTORS_DICOM_WALK_H
#define DISSECTORS_DICOM_WALK_H

#include "dissectors/dissector.h"

enum {
	DICOM_WALK_DEPTH = 16,          /* sequences and items count each; PS3.3 nests five sequences */
	DICOM_WALK_VALUE = 1024,        /* longer values are passed over: names of devices have at most 64 characters */
};

enum dicom_walk_status {
	DICOM_WALK_ELEMENT,
	DICOM_WALK_MORE,                /* w->need bytes of the data set are needed */
	DICOM_WALK_END,                 /* the bytes end behind an element, outside of all sequences */
	DICOM_WALK_BAD,                 /* w->fault; nothing can be read from here on */
};

struct dicom_walk {
	struct span in;
	uint8_t encoding;               /* OBSERVATION_ENCODING_IMPLICIT, _EXPLICIT or _BIG_ENDIAN */
	bool done;                      /* for the caller: has seen all that it wanted */
	bool descend;                   /* into sequences, else they are passed over */
	uint64_t at;                    /* may be past the end of `in`: a value that is not at hand */
	uint64_t need;
	int fault;
	uint32_t last;                  /* tag, outside of sequences */
	unsigned depth;
	struct dicom_walk_level {
		uint64_t end;           /* offset; UINT64_MAX: a delimiter ends it */
		uint8_t kind;
		bool implicit;          /* inside of UN with undefined length (PS3.5 6.2.2) */
	} level[DICOM_WALK_DEPTH];
};

struct dicom_element {
	uint32_t tag;                   /* group << 16 | element */
	struct span value;              /* empty for sequences and for values over DICOM_WALK_VALUE */
	bool nested, sequence, passed_over;
};

/* Which of the plain encodings a data set that begins like this is in: by its first 8 bytes. -1: none. */
int dicom_walk_guess(struct span head);
enum dicom_walk_status dicom_walk_next(struct dicom_walk *w, struct dicom_element *ret);

#endif
