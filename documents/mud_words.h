/* mud_words.h -- words that the reader and the writer of MUD files share. */
#ifndef DOCUMENTS_MUD_WORDS_H
#define DOCUMENTS_MUD_WORDS_H

enum mud_words_opener { MUD_WORDS_DEVICE, MUD_WORDS_PEER, MUD_WORDS_EITHER };
extern const char *const mud_words_openers[];   /* device, peer, either: as in the long form */

/* "1.2" of "tls12", with or without the name of its module; NULL. */
const char *mud_words_version(const char *word);
/* URI of a role in MUD files: the well-known one of its name, or one of ours. */
const char *mud_words_uri(const char *role, char out[static 128]);

#endif
