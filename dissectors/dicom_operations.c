/* dicom_operations.c -- which requests wait for their last response (PS3.7 6.1 and 7.1: an operation is known by its
 * message id, in the direction of the request).
 *
 * An association may have any number outstanding (PS3.7 D.3.3.3), its memory here is 64 bytes. Ids are given out in turn
 * by every implementation we met, so a slot holds sixteen neighbours, where no pending responses are to be counted:
 * fifty stores fit into four slots. What does not fit displaces the oldest, whose response is then told unpaired.
 */
#include "dissectors/dicom.h"

enum { BLOCK = 16 };

/* With pending responses: those have a count of their own, thus a slot. */
static bool has_pending(unsigned command)
{
	return command == OBSERVATION_C_FIND_RQ || command == OBSERVATION_C_GET_RQ || command == OBSERVATION_C_MOVE_RQ;
}

static uint16_t block_of(unsigned command, uint16_t id)
{
	return (uint16_t)(has_pending(command) ? id : id - id % BLOCK);
}

static uint16_t bit_of(unsigned command, uint16_t id)
{
	return (uint16_t)(has_pending(command) ? 1 : 1 << (id % BLOCK));
}

static struct dicom_operation *find(struct dicom_operations *t, unsigned dir, unsigned command, uint16_t id)
{
	uint16_t block = block_of(command, id);
	for (unsigned i = 0; i < DICOM_OPERATIONS; i++) {
		struct dicom_operation *s = &t->slot[i];
		if (s->set && s->command == command && s->dir == (dir & 1) && s->first == block)
			return s;
	}
	return NULL;
}

void dicom_operations_request(struct dicom_operations *t, unsigned dir, unsigned command, uint16_t id)
{
	struct dicom_operation *s = find(t, dir, command, id);
	for (unsigned i = 0; !s && i < DICOM_OPERATIONS; i++)
		if (!t->slot[i].set)
			s = &t->slot[i];
	if (!s) {
		s = &t->slot[t->next];
		t->next = (uint8_t)((t->next + 1) % DICOM_OPERATIONS);
		s->set = 0;
	}
	if (!s->set)
		*s = (struct dicom_operation){ .first = block_of(command, id), .command = command & 31, .dir = dir & 1 };
	s->set |= bit_of(command, id);
	s->pending = 0;
}

bool dicom_operations_response(struct dicom_operations *t, unsigned dir, unsigned command, uint16_t id, bool last,
			       uint32_t *ret_pending)
{
	struct dicom_operation *s = find(t, dir, command, id);
	if (!s || !(s->set & bit_of(command, id)))
		return false;
	if (!last) {
		if (s->pending < DICOM_PENDING_MAX)
			s->pending++;
		return true;
	}
	*ret_pending = s->pending;
	s->set &= (uint16_t)~bit_of(command, id);
	return true;
}

bool dicom_operations_waiting(struct dicom_operations *t, unsigned dir, uint16_t id)
{
	for (unsigned command = 0; command < OBSERVATION_UNKNOWN; command++) {
		const struct dicom_operation *s = find(t, dir, command, id);
		if (s && s->set & bit_of(command, id))
			return true;
	}
	return false;
}
