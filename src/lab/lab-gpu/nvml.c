// A stand-in for libnvidia-ml.so.1 in lab hosts: it answers as GPUs that a text file describes, and no GPU is there.
// Only what NVIDIA's toolkit and device plugin call exists; anything else is a missing symbol. Signatures and numbers
// are those of NVML's nvml.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum {
  SUCCESS = 0,
  INVALID_ARGUMENT = 2,
  NOT_SUPPORTED = 3,
  NOT_FOUND = 6,
  INSUFFICIENT_SIZE = 7,
  DRIVER_NOT_LOADED = 9,
  TIMEOUT = 10,
  GPU_IS_LOST = 15,
  VERSION_MISMATCH = 18,
} Return;

typedef struct {
  unsigned minor;
  char uuid[80];
  unsigned domain, bus, slot, id;
  unsigned long long mebibytes;
  int major, cuda_minor;
  char name[96];
  int lost, mig;
} Gpu;

typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } PciInfo;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;
typedef struct { Gpu *gpu; unsigned long long type, data; unsigned gpu_instance, compute_instance; } Event;
typedef struct { unsigned long long registered; int told; } EventSet;

static const unsigned long long xid_event = 8;
static Gpu gpus[16];
static unsigned count, xid_minor;
static unsigned long long xid;
static Return health;

// dlfcn.h declares it only with _GNU_SOURCE, which would ask for a newer C library than the host's.
struct place { const char *file; void *base; const char *symbol; void *address; };
int dladdr(const void *, struct place *);

// The library is libnvidia-ml.so.VERSION, and what it answers lies beside it, in nvidia-lab-gpu.so.VERSION: a name
// that brings it into containers with the library.
static const char *version(char *description, size_t size) {
  static char file[512];
  struct place place;
  if (!dladdr((void *)version, &place) || !realpath(place.file, file)) return "";
  char *name = strrchr(file, '/');
  const char *number = strstr(name, ".so.");
  if (!number) return "";
  if (description) snprintf(description, size, "%.*s/nvidia-lab-gpu%s", (int)(name - file), file, number);
  return number + 4;
}

static void read_description(void) {
  char path[640] = "", line[256], fault[32];
  count = 0, xid = 0, health = SUCCESS;
  version(path, sizeof path);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) {
    Gpu *gpu = &gpus[count];
    unsigned minor = 0, number = 0;
    memset(gpu, 0, sizeof *gpu);
    if (sscanf(line, "gpu %u %79s %x:%x:%x.0 %x %llu %d.%d %95[^\n]", &gpu->minor, gpu->uuid, &gpu->domain, &gpu->bus,
               &gpu->slot, &gpu->id, &gpu->mebibytes, &gpu->major, &gpu->cuda_minor, gpu->name) == 10) {
      // As with the real one, a container sees the GPUs whose device nodes it has.
      char node[32];
      snprintf(node, sizeof node, "/dev/nvidia%u", gpu->minor);
      if (count + 1 < sizeof gpus / sizeof *gpus && access(node, F_OK) == 0) count++;
    } else if (sscanf(line, "fault %31s %u %u", fault, &minor, &number) >= 1) {
      if (!strcmp(fault, "mismatch")) health = VERSION_MISMATCH;
      if (!strcmp(fault, "xid")) xid_minor = minor, xid = number;
      for (unsigned i = 0; i < count; i++) {
        if (gpus[i].minor != minor) continue;
        if (!strcmp(fault, "lost")) gpus[i].lost = 1;
        if (!strcmp(fault, "mig")) gpus[i].mig = 1;
      }
    }
  }
  if (file) fclose(file);
  if (access("/dev/nvidiactl", F_OK) != 0) health = DRIVER_NOT_LOADED;
}

static Return text(char *into, unsigned length, const char *what) {
  if (strlen(what) >= length) return INSUFFICIENT_SIZE;
  strcpy(into, what);
  return SUCCESS;
}

static Return found(Gpu *gpu, Gpu **into) {
  *into = gpu;
  return gpu->lost ? GPU_IS_LOST : SUCCESS;
}

Return nvmlInit_v2(void) { read_description(); return health; }
Return nvmlInitWithFlags(unsigned flags) { (void)flags; return nvmlInit_v2(); }
Return nvmlShutdown(void) { return SUCCESS; }

const char *nvmlErrorString(Return error) {
  switch (error) {
    case SUCCESS: return "Success";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case NOT_FOUND: return "Not Found";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case TIMEOUT: return "Timeout";
    case GPU_IS_LOST: return "GPU is lost";
    case VERSION_MISMATCH: return "Driver/library version mismatch";
  }
  return "Unknown Error";
}

Return nvmlSystemGetDriverVersion(char *into, unsigned length) { return text(into, length, version(NULL, 0)); }
Return nvmlSystemGetNVMLVersion(char *into, unsigned length) {
  char whole[80];
  snprintf(whole, sizeof whole, "13.%s", version(NULL, 0));
  return text(into, length, whole);
}
Return nvmlSystemGetCudaDriverVersion(int *into) { *into = 13000; return SUCCESS; }
Return nvmlSystemGetCudaDriverVersion_v2(int *into) { return nvmlSystemGetCudaDriverVersion(into); }

Return nvmlDeviceGetCount_v2(unsigned *into) { *into = count; return SUCCESS; }
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Gpu **into) {
  return index < count ? found(&gpus[index], into) : INVALID_ARGUMENT;
}
Return nvmlDeviceGetHandleByUUID(const char *uuid, Gpu **into) {
  for (unsigned i = 0; i < count; i++) if (!strcmp(gpus[i].uuid, uuid)) return found(&gpus[i], into);
  return NOT_FOUND;
}

Return nvmlDeviceGetIndex(Gpu *gpu, unsigned *into) { *into = (unsigned)(gpu - gpus); return SUCCESS; }
Return nvmlDeviceGetMinorNumber(Gpu *gpu, unsigned *into) { *into = gpu->minor; return SUCCESS; }
Return nvmlDeviceGetUUID(Gpu *gpu, char *into, unsigned length) { return text(into, length, gpu->uuid); }
Return nvmlDeviceGetName(Gpu *gpu, char *into, unsigned length) { return text(into, length, gpu->name); }
Return nvmlDeviceGetBrand(Gpu *gpu, int *into) { (void)gpu; *into = 14; return SUCCESS; }
Return nvmlDeviceGetArchitecture(Gpu *gpu, unsigned *into) { *into = gpu->major == 8 ? 7 : 9; return SUCCESS; }
Return nvmlDeviceGetCudaComputeCapability(Gpu *gpu, int *major, int *minor) {
  *major = gpu->major, *minor = gpu->cuda_minor;
  return SUCCESS;
}
Return nvmlDeviceGetPciInfo_v3(Gpu *gpu, PciInfo *into) {
  memset(into, 0, sizeof *into);
  snprintf(into->legacy, sizeof into->legacy, "%04X:%02X:%02X.0", gpu->domain, gpu->bus, gpu->slot);
  snprintf(into->bus_id, sizeof into->bus_id, "%08X:%02X:%02X.0", gpu->domain, gpu->bus, gpu->slot);
  into->domain = gpu->domain, into->bus = gpu->bus, into->device = gpu->slot, into->id = gpu->id << 16 | 0x10de;
  return SUCCESS;
}
Return nvmlDeviceGetMemoryInfo(Gpu *gpu, Memory *into) {
  into->total = into->free = gpu->mebibytes << 20, into->used = 0;
  return SUCCESS;
}
Return nvmlDeviceGetMemoryInfo_v2(Gpu *gpu, MemoryV2 *into) {
  into->total = into->free = gpu->mebibytes << 20, into->reserved = into->used = 0;
  return SUCCESS;
}

Return nvmlDeviceGetMigMode(Gpu *gpu, unsigned *current, unsigned *pending) {
  *current = *pending = (unsigned)gpu->mig;
  return SUCCESS;
}
Return nvmlDeviceGetMaxMigDeviceCount(Gpu *gpu, unsigned *into) { *into = gpu->mig ? 7 : 0; return SUCCESS; }
Return nvmlDeviceGetMigDeviceHandleByIndex(Gpu *gpu, unsigned index, Gpu **into) {
  (void)gpu, (void)index, (void)into;
  return NOT_FOUND;
}
Return nvmlDeviceIsMigDeviceHandle(Gpu *gpu, unsigned *into) { (void)gpu; *into = 0; return SUCCESS; }
Return nvmlDeviceGetTopologyCommonAncestor(Gpu *one, Gpu *other, int *into) {
  (void)one, (void)other;
  *into = 30; // the same host bridge
  return SUCCESS;
}
Return nvmlDeviceGetNvLinkState(Gpu *gpu, unsigned link, unsigned *into) {
  (void)gpu, (void)link, (void)into;
  return NOT_SUPPORTED;
}

Return nvmlEventSetCreate(EventSet **into) { *into = calloc(1, sizeof **into); return SUCCESS; }
Return nvmlEventSetFree(EventSet *set) { free(set); return SUCCESS; }
Return nvmlDeviceGetSupportedEventTypes(Gpu *gpu, unsigned long long *into) {
  (void)gpu;
  *into = xid_event;
  return SUCCESS;
}
Return nvmlDeviceRegisterEvents(Gpu *gpu, unsigned long long types, EventSet *set) {
  (void)gpu;
  set->registered |= types;
  return SUCCESS;
}

// The fault is looked for while a caller waits, so that it can be planted at any time; each set is told once.
Return nvmlEventSetWait_v2(EventSet *set, Event *event, unsigned milliseconds) {
  for (unsigned waited = 0;; waited += 200) {
    read_description();
    for (unsigned i = 0; xid && !set->told && i < count; i++) {
      if (gpus[i].minor != xid_minor) continue;
      set->told = 1;
      *event = (Event){&gpus[i], xid_event, xid, 0xffffffff, 0xffffffff};
      return SUCCESS;
    }
    if (waited >= milliseconds) return TIMEOUT;
    usleep(200 * 1000);
  }
}
