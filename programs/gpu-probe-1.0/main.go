// gpu-probe tells as one line of JSON which GPUs its container sees, and keeps them until it is ended.
// What it says comes from the driver's own library in the container, so that the library is proved as well.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

type report struct {
	// Paths of the device files.
	Nodes   []string `json:"nodes"`
	Visible string   `json:"visible"`
	Driver  string   `json:"driver,omitempty"`
	GPUs    []gpu    `json:"gpus"`
	Error   string   `json:"error,omitempty"`
}

type gpu struct {
	// Of the GPU, or of its one instance where it is partitioned.
	UUID string `json:"uuid"`
	Name string `json:"name"`
	// MiB.
	Memory uint64 `json:"memory"`
}

func main() {
	nodes, _ := filepath.Glob("/dev/nvidia*")
	said := report{Nodes: append([]string{}, nodes...), Visible: os.Getenv("NVIDIA_VISIBLE_DEVICES"), GPUs: []gpu{}}
	if err := ask(&said); err != nil {
		said.Error = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(said)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	<-ended
}

func ask(said *report) error {
	if err := check("libnvidia-ml.so.1", nvml.Init()); err != nil {
		return err
	}
	defer nvml.Shutdown()
	driver, code := nvml.SystemGetDriverVersion()
	if err := check("the driver's version", code); err != nil {
		return err
	}
	said.Driver = driver
	count, code := nvml.DeviceGetCount()
	if err := check("the number of GPUs", code); err != nil {
		return err
	}
	for index := range count {
		device, code := nvml.DeviceGetHandleByIndex(index)
		if err := check(fmt.Sprintf("GPU %d", index), code); err != nil {
			return err
		}
		instances := instancesOf(device)
		if len(instances) == 0 {
			instances = []nvml.Device{device}
		}
		for _, each := range instances {
			found, err := describe(each)
			if err != nil {
				return err
			}
			said.GPUs = append(said.GPUs, found)
		}
	}
	return nil
}

func describe(device nvml.Device) (gpu, error) {
	uuid, code := device.GetUUID()
	if err := check("the UUID of a GPU", code); err != nil {
		return gpu{}, err
	}
	name, code := device.GetName()
	if err := check("the name of "+uuid, code); err != nil {
		return gpu{}, err
	}
	memory, code := device.GetMemoryInfo()
	if err := check("the memory of "+uuid, code); err != nil {
		return gpu{}, err
	}
	return gpu{UUID: uuid, Name: name, Memory: memory.Total >> 20}, nil
}

// instancesOf gives the MIG instances that the container may use; none of a GPU that is not partitioned.
func instancesOf(device nvml.Device) []nvml.Device {
	mode, _, code := device.GetMigMode()
	if code != nvml.SUCCESS || mode != nvml.DEVICE_MIG_ENABLE {
		return nil
	}
	most, _ := device.GetMaxMigDeviceCount()
	var found []nvml.Device
	for index := range most {
		if instance, code := device.GetMigDeviceHandleByIndex(index); code == nvml.SUCCESS {
			found = append(found, instance)
		}
	}
	return found
}

func check(what string, code nvml.Return) error {
	if code == nvml.SUCCESS {
		return nil
	}
	return fmt.Errorf("%s: %s", what, nvml.ErrorString(code))
}
