#!/bin/sh
# Makes this host of a lab look as if it had the GPUs and the faults that /etc/lab-gpu describes: at each boot, and when
# the unit lab-gpu is restarted after a change of that file. No GPU is there, and the driver is a stand-in.
set -eu
described=/etc/lab-gpu
version=$(sed -n 's/^driver //p' "$described")
version=${version:-580.95.05}
store=/usr/lib/lab-gpu
libraries=/usr/lib/$(uname -m)-linux-gnu

fault() {
  grep -Eq "^fault $1( |\$)" "$described"
}

gpus() {
  grep '^gpu ' "$described"
}

device() { # ADDRESS VENDOR DEVICE CLASS DRIVER
  mkdir "/sys/bus/pci/devices/$1"
  cd "/sys/bus/pci/devices/$1"
  echo "0x$2" > vendor
  echo "0x$3" > device
  echo "0x$4" > class
  [ -z "$5" ] || ln -s "../../drivers/$5" driver
}

for place in /sys/bus/pci/devices /sys/module /proc/driver; do
  while mountpoint -q "$place"; do umount "$place"; done
done
rm -f /dev/nvidia*

driver=nvidia
if fault no-driver || fault not-loaded; then driver=; fi
if fault nouveau; then driver=nouveau; fi

mount -t tmpfs -o mode=755 lab-gpu /sys/bus/pci/devices
device 0000:03:00.0 1a03 2000 030000 ast # the graphics of a board's management controller, which is no GPU for pods
gpus | while read -r _ _ _ address id _; do device "$address" 10de "$id" 030200 "$driver"; done

find "$libraries" -maxdepth 1 '(' -name 'libnvidia-ml.so.*' -o -name 'libcuda.so.*' -o -name 'nvidia-lab-gpu.so.*' ')' \
  ! -name "*.so.$version" -delete
# In place: containers have the very file, and see what it says now.
cat "$described" > "$libraries/nvidia-lab-gpu.so.$version"
if fault no-driver || fault nouveau; then
  rm -f "$libraries"/libnvidia-ml.so.* "$libraries"/libcuda.so.* /usr/bin/nvidia-smi
elif [ ! -e "$libraries/libnvidia-ml.so.$version" ]; then
  cp "$store/libnvidia-ml.so" "$libraries/libnvidia-ml.so.$version"
  cp "$store/libcuda.so" "$libraries/libcuda.so.$version"
  cp "$store/nvidia-smi" /usr/bin/nvidia-smi
fi
ldconfig

if [ -n "$driver" ]; then
  rm -rf /run/lab-gpu-modules
  mkdir -p "/run/lab-gpu-modules/$driver"
  mount -t overlay lab-gpu -o "ro,lowerdir=/run/lab-gpu-modules:/sys/module" /sys/module
fi
[ "$driver" = nvidia ] || exit 0

# Harmless nodes: they are /dev/null by other names.
for node in nvidiactl nvidia-uvm nvidia-uvm-tools $(gpus | while read -r _ minor _; do echo "nvidia$minor"; done); do
  mknod -m 666 "/dev/$node" c 1 3
done
mount -t tmpfs -o mode=555 lab-gpu /proc/driver
mkdir -p /proc/driver/nvidia/gpus
loaded=$version
if fault mismatch; then loaded=570.195.03; fi
echo "NVRM version: NVIDIA UNIX $(uname -m) Kernel Module  $loaded  Wed Sep 10 00:00:00 UTC 2025" > /proc/driver/nvidia/version
gpus | while read -r _ minor uuid address _ _ _ name; do
  mkdir "/proc/driver/nvidia/gpus/$address"
  printf 'Model: \t\t %s\nGPU UUID: \t %s\nBus Type: \t PCIe\nBus Location: \t %s\nDevice Minor: \t %s\n' \
    "$name" "$uuid" "$address" "$minor" > "/proc/driver/nvidia/gpus/$address/information"
done
