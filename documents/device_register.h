/* device_register.h -- a hospital's device register (ME機器台帳) as an inventory: its own column names, one line per unit.
 *
 * Units are told by what the register calls them; their type by maker and model, among the device types that are given. A unit
 * without IP or MAC address cannot be recognised on a network and is left out: its row is said with all cells, as is a line that
 * is no unit. Columns that the inventory does not know, and cells without a heading, go into `note`.
 */
#ifndef DOCUMENTS_DEVICE_REGISTER_H
#define DOCUMENTS_DEVICE_REGISTER_H

#include "documents/draft.h"
#include "rules/policy_model.h"

/* The row with the headings; 0: this sheet is no register. */
uint32_t device_register_heading(const struct sheet_book *b, size_t sheet);
/* Writes the inventory as CSV, with its header line when `first`. `types`: to choose from, may be NULL. 0 or -ENOMEM, -EIO. */
int device_register_read(struct draft *d, const struct sheet_book *b, size_t sheet, size_t source,
			 const struct policy_model *types, bool first, FILE *to);

#endif
