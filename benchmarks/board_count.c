/* A plugin for QEMU's user mode (7.2, plugin API version 1): counts the instructions that a program executes, split into
 * numbered sections.
 *
 *     gcc -O2 -shared -fPIC -o count.so board_count.c && qemu-aarch64 -plugin ./count.so,out=FILE program
 *
 * The program marks the end of a stretch by the system call umask(0x51570000 | section << 9 | mask): it takes any number,
 * always succeeds, and costs Python some hundred instructions. All that was executed since the last mark then belongs
 * to the section. At the program's end FILE has one line for each section: its number, how often it was marked, its
 * instructions on the thread that marked it, and those of all threads.
 *
 * Every thread counts for itself, in a callback at every block of instructions: QEMU's own inline counters are quicker,
 * and wrong where threads share them.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bookworm ships no qemu-plugin.h, so here is what of it is used. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
typedef struct {
    const char *target_name;
    struct { int min, cur; } version;
    bool system_emulation;
} qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *),
                                                 enum qemu_plugin_cb_flags, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, unsigned, int64_t, uint64_t,
                                                 uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);

#define EXPORTED __attribute__((visibility("default")))
EXPORTED int qemu_plugin_version = 1;

enum { THREADS = 64, SECTIONS = 128, UMASK_ARM = 60, UMASK_AARCH64 = 166 };
#define MAGIC UINT64_C(0x5157)

/* A cache line for each thread, so that they do not wait for each other. */
static struct { uint64_t executed, padding[7]; } threads[THREADS];
static struct { uint64_t marks, own, all; } sections[SECTIONS];
static uint64_t own_before[THREADS], all_before;
static const char *path;
static int64_t umask_number;

static void executed(unsigned thread, void *instructions) {
    threads[thread % THREADS].executed += (uintptr_t)instructions;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, executed, QEMU_PLUGIN_CB_NO_REGS,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void called(qemu_plugin_id_t id, unsigned thread, int64_t number, uint64_t argument, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    (void)id, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number != umask_number || (argument >> 16 & 0xffff) != MAGIC) return;
    thread %= THREADS;
    unsigned section = argument >> 9 & (SECTIONS - 1);
    uint64_t all = 0;
    for (int i = 0; i < THREADS; i++) all += threads[i].executed;
    sections[section].marks++;
    sections[section].own += threads[thread].executed - own_before[thread];
    sections[section].all += all - all_before;
    own_before[thread] = threads[thread].executed;
    all_before = all;
}

static void ended(qemu_plugin_id_t id, void *unused) {
    (void)id, (void)unused;
    FILE *file = fopen(path, "w");
    if (!file) return;
    for (int i = 0; i < SECTIONS; i++)
        if (sections[i].marks)
            fprintf(file, "%d %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i, sections[i].marks, sections[i].own,
                    sections[i].all);
    fclose(file);
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **options) {
    for (int i = 0; i < count; i++)
        if (!strncmp(options[i], "out=", 4)) path = strdup(options[i] + 4);
    if (!path) return 1;
    umask_number = strcmp(info->target_name, "aarch64") ? UMASK_ARM : UMASK_AARCH64;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
