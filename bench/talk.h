/* talk.h -- what is said in the captures of ./dev bench: each makes the next turn of a conversation, as a program of that kind would.
 * Nobody's data: names, numbers and pixels are made up.
 */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include "bench/conv.h"

/* talk_dicom.c: PS3.7 and PS3.8. The objects that are stored have to be made first. */
void talk_dicom_objects(void);
int talk_dicom_echo(struct conv *c);
int talk_dicom_find(struct conv *c);
int talk_dicom_store(struct conv *c);
/* talk.c */
int talk_hl7(struct conv *c);
int talk_dns(struct conv *c);
int talk_http(struct conv *c);
int talk_smb(struct conv *c);
int talk_tls(struct conv *c);
int talk_unknown(struct conv *c);

#endif
