/* standard.h -- the three standard streams of a process as its caller may have left them. */
#ifndef CORE_STANDARD_H
#define CORE_STANDARD_H

/* First of all in main(). Descriptors 0 to 2 that are closed become /dev/null, opened the wrong way round, so that the
 * next file opened does not take their place (what is printed would land in it) and using them fails. A limit on the
 * size of files (setrlimit) is an error of write from here on, not a signal that kills. */
void standard_open(void);
/* What stdio still holds for standard output; 0 or -errno. */
int standard_flush(void);

#endif
