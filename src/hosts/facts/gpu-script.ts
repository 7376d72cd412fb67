import { sh } from '../shell.js';
import { nvidiaLibraries } from './folders.js';

/**
 * Prints facts of GPUs with the function `fact` of `factsScript`. A machine without any costs one walk over the PCI bus.
 * Vendors 10de and 1002 with class 03 (display) or 12 (accelerator) are GPUs; hypervisors and BMCs have other vendors, but
 * for ATI's old server chips. nvidia-smi may take many seconds where the driver is not kept loaded, so it gets a limit.
 */
export const gpuFactsScript = sh`
nvidia= amd= switches=
if [ -d /sys/bus/pci/devices ]; then
  fact gpubus read
  for device in /sys/bus/pci/devices/*; do
    class= vendor= id=
    { read -r class < "$device/class" && read -r vendor < "$device/vendor" && read -r id < "$device/device"; } 2>/dev/null || continue
    case "$vendor $class $id" in
      0x1002\\ 0x03*\\ 0x515e | 0x1002\\ 0x03*\\ 0x4752 | 0x1002\\ 0x03*\\ 0x5159) continue ;;
      0x10de\\ 0x0680*) switches=yes; fact gpuswitch "\${device##*/}"; continue ;;
      0x10de\\ 0x03*) nvidia=yes ;;
      0x1002\\ 0x03* | 0x1002\\ 0x12*) amd=yes ;;
      *) continue ;;
    esac
    driver=$(readlink "$device/driver" || :)
    fact gpudevice "\${device##*/} $vendor $id \${driver##*/}"
  done
fi
for unit in /sys/class/iommu/*; do
  if [ -e "$unit" ] && [ -n "$nvidia$amd" ]; then fact iommu "\${unit##*/}"; fi
done
for node in /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm /dev/kfd; do
  if [ -c "$node" ]; then fact gpunode "$node"; fi
done
if [ -n "$nvidia" ] || [ -e /proc/driver/nvidia/version ]; then
  loaded=$(awk '/^NVRM version/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+[.][0-9.]+$/) { print $i; exit } }' /proc/driver/nvidia/version 2>/dev/null || :)
  fact nvidialoaded "$loaded"
  for module in nvidia nvidia-current; do
    version=$(modinfo -F version $module 2>/dev/null || :)
    if [ -n "$version" ]; then
      fact nvidiamodule "$version"
      fact nvidiasigner "$(modinfo -F signer $module 2>/dev/null || :)"
      break
    fi
  done
  for folder in ${nvidiaLibraries}; do
    if [ -e $folder/libnvidia-ml.so.1 ]; then
      library=$(readlink -f $folder/libnvidia-ml.so.1)
      fact nvidialibrary "\${library##*.so.}"
      break
    fi
  done
  if [ -d /sys/module/nouveau ]; then fact nouveau loaded; fi
  secureboot=unknown
  if [ ! -d /sys/firmware/efi ]; then secureboot=off; fi
  # Four bytes of attributes come before the value (UEFI, 3.3 and 8.2).
  for variable in /sys/firmware/efi/efivars/SecureBoot-*; do
    case $(od -An -t u1 -j 4 -N 1 "$variable" 2>/dev/null || :) in
      *1) secureboot=on ;;
      *0) secureboot=off ;;
    esac
  done
  fact nvidiasecureboot $secureboot
  if [ -e "/lib/modules/$(uname -r)/build" ]; then fact kernelheaders yes; fi
  for information in /proc/driver/nvidia/gpus/*/information; do
    model=$(sed -n 's/^Model:[[:space:]]*//p' "$information" 2>/dev/null || :)
    bus=\${information%/*}
    if [ -n "$model" ]; then fact gpumodel "\${bus##*/} $model"; fi
  done
  if [ -n "$loaded" ] && command -v nvidia-smi >/dev/null; then
    smi=$(timeout 20 nvidia-smi --query-gpu=pci.bus_id,memory.total,mig.mode.current,name --format=csv,noheader,nounits 2>/dev/null |
      grep '^[0-9A-Fa-f]*:' || :)
    printf '%s\\n' "\${smi:-silent}" | sed 's/^/gpusmi /'
  fi
  if [ -n "$switches" ]; then
    fact fabricmanager "$(systemctl show -p LoadState -p ActiveState nvidia-fabricmanager.service 2>/dev/null | sort -r | sed 's/.*=//' | tr '\\n' ' ' || :)"
  fi
  packages=
  for note in /var/lib/kbs/packages/nvidia-*; do
    if [ -e "$note" ]; then packages=$(printf %s "\${note##*/}" | tr , ' '); fi
  done
  # Debian has the driver for any kernel; Ubuntu by its version, for servers without what a desktop needs.
  if [ -z "$packages$loaded$version\${library-}" ] && command -v apt-cache >/dev/null; then
    headers=linux-headers-$(uname -r | sed -E 's/^[0-9][^-]*-([0-9]+-)?//')
    release=$(apt-cache search --names-only '^nvidia-headless-[0-9]+-server$' 2>/dev/null | sed 's/^nvidia-headless-\\([0-9]*\\).*/\\1/' | sort -n | tail -n 1 || :)
    if [ -n "$release" ]; then
      packages="nvidia-headless-$release-server nvidia-utils-$release-server $headers"
    elif apt-cache show nvidia-kernel-dkms >/dev/null 2>&1; then
      packages="nvidia-kernel-dkms nvidia-smi libcuda1 $headers"
    fi
  fi
  fact nvidiapackages "$packages"
fi
`;
