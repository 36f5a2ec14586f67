#include "sensor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Landlock beyond the ABI of the Debian 12 headers (ABI 2): Documentation/userspace-api/landlock.rst. */
#define LL_FS_ABI1 ((UINT64_C(1) << 13) - 1)    /* execute .. make_sym */
#define LL_FS_REFER (UINT64_C(1) << 13)         /* ABI 2 */
#define LL_FS_TRUNCATE (UINT64_C(1) << 14)      /* ABI 3 */
#define LL_NET_BOTH UINT64_C(3)                 /* ABI 4: bind and connect TCP */
#define LL_FS_IOCTL_DEV (UINT64_C(1) << 15)     /* ABI 5 */
#define LL_SCOPE_BOTH UINT64_C(3)               /* ABI 6: abstract unix sockets, signals */
#define LL_FS_READ ((UINT64_C(1) << 2) | (UINT64_C(1) << 3))    /* read_file, read_dir */

struct landlock_attr { uint64_t fs, net, scoped; };

enum { FILTER_MAX = 4096 };     /* BPF_MAXINSNS of the kernel */

struct filter { unsigned short n; struct sock_filter code[FILTER_MAX]; };

struct sandbox {
	enum sandbox_role role;
	bool keep_user;
	int null_fd, empty_fd;          /* empty_fd: a directory with nothing in it, already unlinked; -1 when not root */
	struct filter first, strict;
};

/* While threads and tables are made: no files, no sockets, no programs. */
static const int first_calls[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(brk),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity),
	SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(prlimit64), SCMP_SYS(getrandom),
	SCMP_SYS(set_tid_address), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(sysinfo), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(fadvise64),
};

/* While packets are read. sendmsg, recvmsg, mmap and openat come with conditions (strict_conditions). */
static const int strict_calls[] = {
	SCMP_SYS(read), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(futex), SCMP_SYS(munmap), SCMP_SYS(close),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
	/* The kernel's own way back into poll, futex or sleep after SIGSTOP and SIGCONT. */
	SCMP_SYS(restart_syscall),
	/* What the C library does by itself in a thread that has just begun, maybe after the filter, or ends. */
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(rt_sigprocmask), SCMP_SYS(madvise),
};

/* Packet sockets: PACKET_STATISTICS and SO_ERROR; the card's counters are read from files opened before. A link that goes
 * down: libpcap asks its own socket which interface it is bound to. */
static const int live_calls[] = {
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(recvfrom), SCMP_SYS(pread64),
};

/* What libpcap asks of an interface whose socket reports an error: has it gone, or is it down? */
static const unsigned live_ioctls[] = { SIOCGIFNAME, SIOCGIFFLAGS };

#ifdef SPANWARD_SANITIZED
/* What the sanitizers' runtime does by itself, and what it needs to print a report and die. */
static const int sanitizer_calls[] = {
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(rt_sigaction), SCMP_SYS(write), SCMP_SYS(getrlimit),
	SCMP_SYS(prlimit64), SCMP_SYS(readlink), SCMP_SYS(nanosleep), SCMP_SYS(brk), SCMP_SYS(mremap),
	SCMP_SYS(sched_getaffinity),
};

/* What it asks for when it reports, and does without: its own map, names of functions, a symbolizer to run. */
static const int sanitizer_denied[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(pipe), SCMP_SYS(pipe2),
	SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ioctl), SCMP_SYS(personality),
};
#endif

/* A publisher runs a network library that is not ours, so it is told what it may never do instead. */
static const int publisher_never[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(userfaultfd),
	SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(open_by_handle_at), SCMP_SYS(io_uring_setup), SCMP_SYS(reboot),
};

#ifdef SPANWARD_PLANT
static bool counting;
static _Atomic uint64_t refused_calls;

/* SECCOMP_RET_TRAP: the call was not made; what it returns is the register that we leave. */
static void on_refused(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	(void)sig;
	(void)info;
	refused_calls++;
#if defined(__x86_64__)
	u->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	u->uc_mcontext.regs[0] = (uint64_t)-EPERM;
#else
#error "which register holds what a system call returns?"
#endif
}

static uint32_t refusal(void) { return counting ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS; }
void sandbox_count(bool on) { counting = on; }
uint64_t sandbox_refused(void) { return refused_calls; }

static int count_refusals(void)
{
	const struct sigaction a = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	return counting && sigaction(SIGSYS, &a, NULL) < 0 ? -errno : 0;
}
#else
static uint32_t refusal(void) { return SCMP_ACT_KILL_PROCESS; }
void sandbox_count(bool on) { (void)on; }
uint64_t sandbox_refused(void) { return 0; }
static int count_refusals(void) { return 0; }
#endif

static int allow(scmp_filter_ctx c, const int *calls, size_t n)
{
	int err = 0;
	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

#define ALLOW(c, list) allow(c, list, sizeof(list) / sizeof((list)[0]))

#ifdef SPANWARD_SANITIZED
static int deny_sanitizer(scmp_filter_ctx c)
{
	int err = 0;
	for (size_t i = 0; i < sizeof(sanitizer_denied) / sizeof(sanitizer_denied[0]) && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), sanitizer_denied[i], 0);
	return err;
}
#endif

/* The macros of seccomp.h leave a member out, which clang takes amiss. */
static struct scmp_arg_cmp equals(unsigned argument, uint32_t value)
{
	return (struct scmp_arg_cmp){ .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };
}

static int allow_ioctls(scmp_filter_ctx c)
{
	int err = 0;
	for (size_t i = 0; i < sizeof(live_ioctls) / sizeof(live_ioctls[0]) && !err; i++)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, equals(1, live_ioctls[i]));
	return err;
}

static int strict_conditions(scmp_filter_ctx c, enum sandbox_role role, int control)
{
	int err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1, equals(0, (unsigned)control));
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1, equals(0, (unsigned)control));
	if (!err && role == SANDBOX_ENGINE_LIVE)
		err = allow_ioctls(c);
#ifdef SPANWARD_SANITIZED
	if (!err)
		err = ALLOW(c, sanitizer_calls);
	return err ? err : deny_sanitizer(c);
#else
	/* A new policy is mapped to be read; nothing can become executable or grow the heap. */
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, equals(2, PROT_READ));
	/* libpcap looks into /sys here and there (pcap_stats); what it does not find it does without. */
	if (!err && role == SANDBOX_ENGINE_LIVE)
		err = seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	return err;
#endif
}

/* The program of a filter, in memory of ours: loading it needs no allocation. */
static int compile(scmp_filter_ctx c, struct filter *ret)
{
	int fd = memfd_create("spanward-filter", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = seccomp_export_bpf(c, fd);
	if (!err) {
		ssize_t n = pread(fd, ret->code, sizeof(ret->code), 0);
		if (n <= 0 || (size_t)n % sizeof(ret->code[0]) || (size_t)n == sizeof(ret->code))
			err = -EOVERFLOW;
		else
			ret->n = (unsigned short)((size_t)n / sizeof(ret->code[0]));
	}
	(void)close(fd);
	return err;
}

static int make_first(enum sandbox_role role, struct filter *ret)
{
	bool publisher = role == SANDBOX_PUBLISHER;
	scmp_filter_ctx c = seccomp_init(publisher ? SCMP_ACT_ALLOW : refusal());
	if (!c)
		return -ENOMEM;
	int err = 0;
	if (publisher) {
		for (size_t i = 0; i < sizeof(publisher_never) / sizeof(publisher_never[0]) && !err; i++)
			err = seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, publisher_never[i], 0);
		if (!err)
			err = seccomp_rule_add(c, SCMP_ACT_KILL_PROCESS, SCMP_SYS(socket), 1, equals(0, AF_PACKET));
	} else {
		err = ALLOW(c, strict_calls);
		if (!err)
			err = ALLOW(c, first_calls);
		if (!err)
			err = ALLOW(c, live_calls);
		if (!err)
			err = allow_ioctls(c);
#ifdef SPANWARD_SANITIZED
		if (!err)
			err = ALLOW(c, sanitizer_calls);
		if (!err)
			err = deny_sanitizer(c);
#else
		/* Libraries that look for their settings (/proc, /sys, the C library's tunables) get a plain no. */
		if (!err)
			err = seccomp_rule_add(c, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
#endif
	}
	if (!err)
		err = compile(c, ret);
	seccomp_release(c);
	return err;
}

static int make_strict(enum sandbox_role role, int control, struct filter *ret)
{
	scmp_filter_ctx c = seccomp_init(refusal());
	if (!c)
		return -ENOMEM;
	int err = ALLOW(c, strict_calls);
	if (!err && role == SANDBOX_ENGINE_LIVE)
		err = ALLOW(c, live_calls);
	if (!err)
		err = strict_conditions(c, role, control);
	if (!err)
		err = compile(c, ret);
	seccomp_release(c);
	return err;
}

/* A directory that nobody can put anything into: made, opened, and unlinked at once. */
static int empty_directory(void)
{
	char path[] = "/tmp/spanward-empty-XXXXXX";
	if (!mkdtemp(path))
		return -errno;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	(void)rmdir(path);
	return err ? err : fd;
}

int sandbox_new(enum sandbox_role role, int control, bool keep_user, struct sandbox **ret)
{
	struct sandbox *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->role = role;
	s->keep_user = keep_user;
	s->empty_fd = -1;
	int err = 0;
	s->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null_fd < 0)
		err = -errno;
	if (!err && geteuid() == 0 && role != SANDBOX_PUBLISHER) {
		/* A place to be that has nothing; without one (a read-only /tmp) Landlock and seccomp remain. */
		s->empty_fd = empty_directory();
	}
	if (!err)
		err = make_first(role, &s->first);
	if (!err && role != SANDBOX_PUBLISHER)
		err = make_strict(role, control, &s->strict);
	if (err) {
		sandbox_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void sandbox_free(struct sandbox *s)
{
	if (!s)
		return;
	if (s->null_fd >= 0)
		(void)close(s->null_fd);
	if (s->empty_fd >= 0)
		(void)close(s->empty_fd);
	free(s);
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* Closes all but 0, 1, 2 and `keep`; what is left tells how many descriptors may ever be open. */
static int close_others(const int *keep, size_t n, int *ret_most)
{
	int sorted[SANDBOX_MAX_KEEP];
	if (n > SANDBOX_MAX_KEEP)
		return -E2BIG;
	if (n)
		memcpy(sorted, keep, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_number);
	unsigned from = 3;
	for (size_t i = 0; i < n; i++) {
		if (sorted[i] < 3)
			return -EBADF;
		if ((unsigned)sorted[i] > from && syscall(SYS_close_range, from, (unsigned)sorted[i] - 1, 0) < 0)
			return -errno;
		from = (unsigned)sorted[i] + 1;
	}
	if (syscall(SYS_close_range, from, UINT_MAX, 0) < 0)
		return -errno;
	*ret_most = (int)from;
	return 0;
}

static int limit(int what, rlim_t most)
{
	const struct rlimit l = { most, most };
	return setrlimit((__rlimit_resource_t)what, &l) < 0 ? -errno : 0;
}

static int drop_user(const struct sandbox *s, unsigned *bits)
{
	if (geteuid() != 0)
		return 0;
	bool all = true;
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			all = false;
	if (all)
		*bits |= SANDBOX_NO_BOUNDS;
	if (s->empty_fd >= 0) {
		/* Needs CAP_SYS_CHROOT, which a confined root (a container) may lack: the rest stands without it. */
		if (fchdir(s->empty_fd) == 0 && chroot(".") == 0)
			*bits |= SANDBOX_CHROOT;
	}
	if (s->keep_user)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(SANDBOX_NOBODY_ID, SANDBOX_NOBODY_ID, SANDBOX_NOBODY_ID) < 0 ||
	    setresuid(SANDBOX_NOBODY_ID, SANDBOX_NOBODY_ID, SANDBOX_NOBODY_ID) < 0)
		/* The root of a user namespace of one user, or without CAP_SETUID, has nobody to become; it loses its
		 * capabilities all the same, and the report says that the user is unchanged. */
		return errno == EPERM || errno == EINVAL ? 0 : -errno;
	*bits |= SANDBOX_NOBODY;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

/* Denies everything the running kernel knows to deny; a kernel without Landlock is not an error. */
static int landlock(enum sandbox_role role, unsigned *bits)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return 0;
	struct landlock_attr a = { .fs = LL_FS_ABI1 };
	size_t size = sizeof(a.fs);
	if (abi >= 2)
		a.fs |= LL_FS_REFER;
	if (abi >= 3)
		a.fs |= LL_FS_TRUNCATE;
	if (abi >= 5)
		a.fs |= LL_FS_IOCTL_DEV;
	if (role == SANDBOX_PUBLISHER)
		a.fs &= ~LL_FS_READ;            /* names are resolved through files of the system */
	else if (abi >= 4) {
		a.net = LL_NET_BOTH;
		size = offsetof(struct landlock_attr, scoped);
		if (abi >= 6) {
			a.scoped = LL_SCOPE_BOTH;
			size = sizeof(a);
		}
	}
	int fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
	if (fd < 0)
		return -errno;
	int err = syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
	(void)close(fd);
	if (!err)
		*bits |= SANDBOX_LANDLOCK;
	return err;
}

static int load(const struct filter *f)
{
	/* The kernel's struct has a pointer that it only reads. */
	struct sock_fprog prog = { .len = f->n, .filter = (struct sock_filter *)(uintptr_t)f->code };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (r < 0)
		return -errno;
	return r > 0 ? -ESRCH : 0;      /* a thread that could not be brought in line */
}

int sandbox_enter(const struct sandbox *s, pid_t parent, const int *keep, size_t n_keep, unsigned *ret)
{
	bool publisher = s->role == SANDBOX_PUBLISHER, keep_stderr = publisher;
	unsigned bits = 0;
	int most = 3, err;
#ifdef SPANWARD_SANITIZED
	keep_stderr = true;             /* where a report goes */
#endif
	for (int fd = 0; fd < (keep_stderr ? 2 : 3); fd++)
		if (dup2(s->null_fd, fd) < 0)
			return -errno;
	if (s->empty_fd >= 0 && !publisher) {
		int kept[SANDBOX_MAX_KEEP];
		if (n_keep >= SANDBOX_MAX_KEEP)
			return -E2BIG;
		if (n_keep)
			memcpy(kept, keep, n_keep * sizeof(kept[0]));
		kept[n_keep] = s->empty_fd;
		err = close_others(kept, n_keep + 1, &most);
	} else {
		err = close_others(keep, n_keep, &most);
	}
	if (err)
		return err;
	err = drop_user(s, &bits);
	if (!err && s->empty_fd >= 0 && !publisher)
		(void)close(s->empty_fd);
	if (!err)
		err = drop_capabilities();
	if (err)
		return err;
	bits |= SANDBOX_NO_CAPS;
	/* Both are reset by the change of user above, so they come after it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;          /* it died before the request to die with it */
	err = limit(RLIMIT_CORE, 0);
	/* Who keeps standard error may find a log file there. */
	if (!err && !keep_stderr)
		err = limit(RLIMIT_FSIZE, 0);
	/* Two more than now: the next policy, and the next file of a directory that is followed. A network library opens as it
	 * likes. */
	if (!err && !publisher)
		err = limit(RLIMIT_NOFILE, (rlim_t)most + 2);
	if (!err)
		err = count_refusals();
	if (!err)
		err = landlock(s->role, &bits);
	if (!err)
		err = load(&s->first);
	if (err)
		return err;
	*ret = bits | SANDBOX_SECCOMP;
	return 0;
}

int sandbox_tighten(const struct sandbox *s) { return s->role == SANDBOX_PUBLISHER ? 0 : load(&s->strict); }

const char *sandbox_text(unsigned bits, char ret[static SANDBOX_TEXT])
{
	static const struct { unsigned bit; const char *yes, *no; } words[] = {
		{ SANDBOX_SECCOMP, "seccomp", "NO seccomp" },
		{ SANDBOX_NO_CAPS, "no capabilities", "capabilities KEPT" },
		{ SANDBOX_LANDLOCK, "landlock", "no landlock in this kernel" },
		{ SANDBOX_CHROOT, "empty root", NULL },
		{ SANDBOX_NOBODY, "user nobody", "user unchanged" },
	};
	size_t n = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *w = bits & words[i].bit ? words[i].yes : words[i].no;
		if (w && n < SANDBOX_TEXT)
			n += (size_t)snprintf(ret + n, SANDBOX_TEXT - n, "%s%s", n ? ", " : "", w);
	}
	return ret;
}
