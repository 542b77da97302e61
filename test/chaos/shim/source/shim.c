/* Stands between redis-server and the C library: remembers up to which length
 * every file was synchronised, and makes synchronising slow or failing and the
 * clock wrong, as a shared page says. See shim.go for the page. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FILES 64

static struct page {
	_Atomic int64_t delay_micros, fail, clock_micros, calls;
	struct { _Atomic int64_t inode, length; } files[FILES];
} *page;

static int (*real_fsync)(int), (*real_fdatasync)(int);
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_time)(struct timeval *restrict, void *restrict);

__attribute__((constructor)) static void start(void) {
	real_fsync = dlsym(RTLD_NEXT, "fsync");
	real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	real_time = dlsym(RTLD_NEXT, "gettimeofday");
	const char *path = getenv("CHAOS_PAGE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0) return;
	void *at = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED) page = at;
	close(fd);
}

/* A file has one writer, so that a slot, once taken, is not contended. */
static void remember(int64_t inode, int64_t length) {
	for (int i = 0; i < FILES; i++) {
		int64_t none = 0;
		if (page->files[i].inode == inode || atomic_compare_exchange_strong(&page->files[i].inode, &none, inode)) {
			page->files[i].length = length;
			return;
		}
	}
}

static int synchronise(int fd, int (*real)(int)) {
	struct stat before;
	int known = page && fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
	if (page) {
		page->calls++;
		if (page->delay_micros > 0) usleep((useconds_t)page->delay_micros);
		if (page->fail) { errno = EIO; return -1; }
	}
	int result = real(fd);
	if (result == 0 && known) remember((int64_t)before.st_ino, (int64_t)before.st_size);
	return result;
}

int fsync(int fd) { return synchronise(fd, real_fsync); }
int fdatasync(int fd) { return synchronise(fd, real_fdatasync); }

static int64_t ahead(void) { return page ? page->clock_micros : 0; }

int clock_gettime(clockid_t clock, struct timespec *at) {
	if (!real_clock) real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	int result = real_clock(clock, at);
	if (result == 0 && clock == CLOCK_REALTIME) at->tv_sec += ahead() / 1000000;
	return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
	if (!real_time) real_time = dlsym(RTLD_NEXT, "gettimeofday");
	int result = real_time(at, zone);
	if (result == 0) at->tv_sec += ahead() / 1000000;
	return result;
}

time_t time(time_t *at) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (at) *at = now.tv_sec;
	return now.tv_sec;
}
