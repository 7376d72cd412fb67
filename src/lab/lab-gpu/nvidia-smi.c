// A stand-in for nvidia-smi in lab hosts: -L, and --query-gpu=FIELDS --format=csv[,noheader][,nounits]. It asks the
// library in the same folder of names as the real one, so that both see the same GPUs and faults.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef void *Device;
typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; } PciInfo;

static void *library;
static char driver[80];

// Calls a function of the library; what it returns is an error where it is not 0.
#define ask(name, ...) (((int (*)())dlsym(library, "nvml" name))(__VA_ARGS__))

static int print_field(const char *field, unsigned index, Device gpu, int units) {
  char words[96] = "";
  unsigned mode[2], capability[2];
  unsigned long long memory[3];
  PciInfo pci;
  if (!strcmp(field, "index")) return printf("%u", index) < 0;
  if (!strcmp(field, "count")) return ask("DeviceGetCount_v2", mode) || printf("%u", mode[0]) < 0;
  if (!strcmp(field, "driver_version")) return printf("%s", driver) < 0;
  if (!strcmp(field, "name") || !strcmp(field, "gpu_name"))
    return ask("DeviceGetName", gpu, words, sizeof words) || printf("%s", words) < 0;
  if (!strcmp(field, "uuid") || !strcmp(field, "gpu_uuid"))
    return ask("DeviceGetUUID", gpu, words, sizeof words) || printf("%s", words) < 0;
  if (!strcmp(field, "pci.bus_id") || !strcmp(field, "gpu_bus_id"))
    return ask("DeviceGetPciInfo_v3", gpu, &pci) || printf("%s", pci.bus_id) < 0;
  if (!strcmp(field, "memory.total"))
    return ask("DeviceGetMemoryInfo", gpu, memory) || printf("%llu%s", memory[0] >> 20, units ? " MiB" : "") < 0;
  if (!strcmp(field, "compute_cap"))
    return ask("DeviceGetCudaComputeCapability", gpu, capability, capability + 1) ||
           printf("%u.%u", capability[0], capability[1]) < 0;
  if (!strcmp(field, "mig.mode.current"))
    return ask("DeviceGetMigMode", gpu, mode, mode + 1) || printf("%s", mode[0] ? "Enabled" : "Disabled") < 0;
  return 1;
}

static int print_gpu(unsigned index, Device gpu, const char *fields, int units) {
  if (!fields) {
    char name[96], uuid[96];
    ask("DeviceGetName", gpu, name, sizeof name);
    ask("DeviceGetUUID", gpu, uuid, sizeof uuid);
    printf("GPU %u: %s (UUID: %s)\n", index, name, uuid);
    return 0;
  }
  char list[512];
  snprintf(list, sizeof list, "%s", fields);
  for (char *field = strtok(list, ","), *next; field; field = next) {
    next = strtok(NULL, ",");
    if (print_field(field, index, gpu, units)) {
      fprintf(stderr, "Field \"%s\" is not a valid field to query.\n", field);
      return 2;
    }
    printf("%s", next ? ", " : "\n");
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *fields = NULL, *format = "";
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], "--query-gpu=", 12)) fields = argv[i] + 12;
    if (!strncmp(argv[i], "--format=", 9)) format = argv[i] + 9;
  }
  library = dlopen("libnvidia-ml.so.1", RTLD_NOW);
  if (!library) {
    puts("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display "
         "Driver is properly installed and present in your system.");
    return 12;
  }
  int error = ask("Init_v2");
  ask("SystemGetDriverVersion", driver, sizeof driver);
  if (error == 9) {
    puts("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
         "NVIDIA driver is installed and running.");
    return error;
  }
  if (error) {
    printf("Failed to initialize NVML: %s\n", ((const char *(*)())dlsym(library, "nvmlErrorString"))(error));
    return error;
  }
  unsigned count = 0;
  ask("DeviceGetCount_v2", &count);
  if (count == 0) {
    puts("No devices were found");
    return 6;
  }
  if (fields && !strstr(format, "noheader")) puts(fields);
  for (unsigned i = 0; i < count; i++) {
    Device gpu;
    error = ask("DeviceGetHandleByIndex_v2", i, &gpu);
    if (error) {
      printf("Unable to determine the device handle for GPU%u: GPU is lost.  Reboot the system to recover this GPU\n", i);
      return error;
    }
    if ((error = print_gpu(i, gpu, fields, !strstr(format, "nounits")))) return error;
  }
  return 0;
}
