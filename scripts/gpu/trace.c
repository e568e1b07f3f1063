/* What a program has a card do: its kernels and copies, by name, with their number and time.
 *
 *     cc -O1 -shared -fPIC trace.c -o libtrace.so -I NVIDIA/include -L NVIDIA/lib -l:libcupti.so.13
 *     export CUDA_INJECTION64_PATH=$PWD/libtrace.so; LD_PRELOAD=$CUDA_INJECTION64_PATH TRACE=kernels.json PROGRAM ...
 *
 * LD_PRELOAD, since a program may leave by _exit, as harness does.
 * NVIDIA is the folder nvidia/cu13 of PyTorch's CUDA libraries. The driver loads the library at the program's first call and CUPTI
 * hands over a record of each kernel and copy, those of replayed CUDA graphs too; they are added up and written when it ends:
 * {"span_ns": from the first start to the last end, "busy_ns": time in which at least one ran, "rows": [[name, number, ns, bytes]]}.
 */
#define _GNU_SOURCE
#include <cupti.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROWS = 4096, BUFFER = 8 << 20 };

struct row {
    char name[256];
    uint64_t count, ns, bytes;
};

static struct row rows[ROWS];
static size_t used;
static uint64_t first = UINT64_MAX, last, busy, lost;
static int recording;

static void add(const char *name, uint64_t start, uint64_t end, uint64_t bytes) {
    size_t i = 0;
    while (i < used && strncmp(rows[i].name, name, sizeof rows[i].name - 1) != 0) i++;
    if (i == ROWS || end < start) {
        lost++;
        return;
    }
    if (i == used) snprintf(rows[used++].name, sizeof rows[i].name, "%s", name);
    rows[i].count++;
    rows[i].ns += end - start;
    rows[i].bytes += bytes;
    /* Records of one stream come in order; what overlaps counts once. */
    if (start < first) first = start;
    if (end > last) {
        busy += end - (start > last ? start : last);
        last = end;
    }
}

static void take(CUpti_Activity *record) {
    static const char *KINDS[] = {"unknown", "host to device", "device to host", "host to array", "array to host",
                                  "array to array", "array to device", "device to array", "device to device", "host to host",
                                  "peer to peer"};
    if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
        CUpti_ActivityKernel10 *kernel = (CUpti_ActivityKernel10 *)record;
        add(kernel->name, kernel->start, kernel->end, 0);
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMCPY) {
        CUpti_ActivityMemcpy6 *copy = (CUpti_ActivityMemcpy6 *)record;
        char name[64];
        size_t kind = copy->copyKind < sizeof KINDS / sizeof *KINDS ? copy->copyKind : 0;
        snprintf(name, sizeof name, "copy, %s", KINDS[kind]);
        add(name, copy->start, copy->end, copy->bytes);
    } else if (record->kind == CUPTI_ACTIVITY_KIND_MEMSET) {
        CUpti_ActivityMemset4 *set = (CUpti_ActivityMemset4 *)record;
        add("fill", set->start, set->end, set->bytes);
    }
}

static void CUPTIAPI wanted(uint8_t **buffer, size_t *size, size_t *records) {
    *buffer = aligned_alloc(8, BUFFER);
    *size = *buffer ? BUFFER : 0;
    *records = 0;
}

static void CUPTIAPI filled(CUcontext context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid) {
    (void)context, (void)stream, (void)size;
    CUpti_Activity *record = NULL;
    while (valid > 0 && cuptiActivityGetNextRecord(buffer, valid, &record) == CUPTI_SUCCESS) take(record);
    free(buffer);
}

static int by_time(const void *a, const void *b) {
    uint64_t x = ((const struct row *)a)->ns, y = ((const struct row *)b)->ns;
    return (x < y) - (x > y);
}

static void write_down(void) {
    if (!recording) return;
    recording = 0;
    cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
    const char *path = getenv("TRACE");
    FILE *out = path ? fopen(path, "w") : NULL;
    if (!out) {
        fprintf(stderr, "trace: cannot write the file that TRACE names\n");
        return;
    }
    qsort(rows, used, sizeof *rows, by_time);
    fprintf(out, "{\"span_ns\": %llu, \"busy_ns\": %llu, \"lost\": %llu, \"rows\": [", used ? (unsigned long long)(last - first) : 0ULL,
            (unsigned long long)busy, (unsigned long long)lost);
    for (size_t i = 0; i < used; i++) {
        fprintf(out, "%s\n[\"", i ? "," : "");
        for (const char *c = rows[i].name; *c; c++) fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        fprintf(out, "\", %llu, %llu, %llu]", (unsigned long long)rows[i].count, (unsigned long long)rows[i].ns,
                (unsigned long long)rows[i].bytes);
    }
    fprintf(out, "]}\n");
    fclose(out);
}

int InitializeInjection(void) {
    static const CUpti_ActivityKind KINDS[] = {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMCPY,
                                               CUPTI_ACTIVITY_KIND_MEMSET};
    if (cuptiActivityRegisterCallbacks(wanted, filled) != CUPTI_SUCCESS) return 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (cuptiActivityEnable(KINDS[i]) != CUPTI_SUCCESS) fprintf(stderr, "trace: the driver records no activity %d\n", KINDS[i]);
    recording = 1;
    atexit(write_down);
    return 1;
}

void _exit(int code) {
    write_down();
    for (;;) syscall(SYS_exit_group, code);
}
