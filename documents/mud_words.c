#include "documents/mud_words.h"

#include <stdio.h>
#include <string.h>

const char *const mud_words_openers[] = { "device", "peer", "either" };

const char *mud_words_version(const char *word)
{
	static const struct { const char *word, *version; } versions[] = {
		{ "tls10", "1.0" }, { "tls11", "1.1" }, { "tls12", "1.2" }, { "tls13", "1.3" },
	};
	const char *bare = strrchr(word, ':');
	for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (!strcmp(bare ? bare + 1 : word, versions[i].word))
			return versions[i].version;
	return NULL;
}

const char *mud_words_uri(const char *role, char out[static 128])
{
	/* RFC 8520, 17.7 */
	const char *well_known = !strcmp(role, "dns") || !strcmp(role, "ntp") ? "urn:ietf:params:mud:" : "urn:x-spanward:role:";
	(void)snprintf(out, 128, "%s%s", well_known, role);
	return out;
}
