/* policy_schema.c -- prints what may stand in a file of a policy directory, as JSON Schema, from the loader's own table.
 * usage: tool_policy_schema device-type|device-type-short|inventory|decisions|site */
#include <stdio.h>
#include <string.h>

#include "core/conf_make.h"
#include "core/err.h"
#include "rules/policy_keys.h"

int main(int argc, char **argv)
{
	static const struct { const char *name; const struct conf_key *keys; const char *title, *about; } files[] = {
		{ "device-type", policy_long_keys, "Spanward device type, long form",
		  "What a maker declares about a device type. YAML; `yes` and `no` may also be read as booleans." },
		{ "device-type-short", policy_short_keys, "Spanward device type, short form",
		  "What a person writes from a maker's papers; spanward profile convert prints the long form." },
		{ "inventory", policy_inventory_keys, "Spanward inventory", "Which units a hospital has, and how each is recognised." },
		{ "decisions", policy_decisions_keys, "Spanward decisions",
		  "Swaps, modes, windows and acceptances, as spanward device, window and accept write them." },
		{ "site", policy_site_keys, "Spanward site", "Roles, zones, windows and rules of a hospital." },
	};
	for (size_t i = 0; argc == 2 && i < sizeof(files) / sizeof(files[0]); i++)
		if (!strcmp(argv[1], files[i].name))
			return conf_schema(files[i].keys, files[i].title, files[i].about, stdout) || fflush(stdout)
				       ? ERR_EXIT_FAILURE : ERR_EXIT_OK;
	fprintf(stderr, "usage: tool_policy_schema device-type|device-type-short|inventory|decisions|site\n");
	return ERR_EXIT_USAGE;
}
