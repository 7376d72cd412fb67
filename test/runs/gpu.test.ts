import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { changesOf, type Plan } from '../../src/engine/plan.js';
import { assumedFacts, type GpuFacts, type NvidiaFacts } from '../../src/hosts/facts/facts.js';
import { apply } from '../../src/workflows/apply.js';
import { phaseRun } from '../../src/workflows/run/plan-phases.js';
import { noDriver, nvidiaDriver } from '../support/gpus.js';
import type { ScriptedCluster } from '../support/scripted-cluster.js';
import { smallInventory } from '../support/scripted-inventory.js';
import { inWords, type Project, run, scriptedProjects } from '../support/scripted-project.js';

const plain = 'w-0: { address: 192.168.40.20, roles: [worker] }';
const withGpu = (gpu: string): string => smallInventory.replace(plain, plain.replace(' }', `, gpu: ${gpu} }`));

const projects = scriptedProjects(smallInventory);

/** Bare machines, and an inventory that says so of the worker's GPUs. */
const bareWith = async (gpu: string) => {
  const setting = await projects.bare();
  writeFileSync(setting.project.inventory, withGpu(gpu));
  return setting;
};

const twoGpus: GpuFacts = {
  ...assumedFacts.gpu,
  busRead: true,
  devices: ['0000:65:00.0', '0000:66:00.0'].map((address) => ({
    address,
    vendor: 'nvidia',
    id: '25b6',
    driver: 'nvidia',
    model: 'NVIDIA A2',
    memory: 15356,
    mig: false,
  })),
  nvidia: nvidiaDriver,
};

/** A machine with two GPUs, and what is installed on it. */
const machineWith = (world: ScriptedCluster, own: NvidiaFacts = nvidiaDriver): void => {
  const devices = own.loaded === undefined ? twoGpus.devices.map((one) => ({ ...one, driver: '' })) : twoGpus.devices;
  world.at('w-0').facts = { gpu: { ...twoGpus, devices, nvidia: own } };
};

const applied = async (project: Project, world: ScriptedCluster) => {
  const outcome = await run(project, world, phaseRun(apply));
  expect(inWords(outcome)).toEqual([]);
  return outcome.result?.plan;
};

const changed = (plan: Plan | undefined): readonly string[] =>
  plan === undefined ? [] : changesOf(plan).map(({ action, kind, id }) => `${action} ${kind} ${id}`);

const ofGpus = (plan: Plan | undefined): readonly string[] =>
  changed(plan).filter((line) => /gpu|GPU|nvidia|NVIDIA|cdi/.test(line));

it('a GPU node is set up once, and is left alone by the next run', async () => {
  const { project, world } = await bareWith('nvidia');
  machineWith(world);
  expect(ofGpus(await applied(project, world))).toEqual([
    'create object nvidia-runtime-class',
    'create object nvidia-device-plugin',
    'create binary /usr/local/bin/nvidia-ctk',
    'create binary /usr/local/bin/nvidia-cdi-hook',
    'create directory /etc/cdi',
    'create file /usr/local/lib/kbs/gpu-cdi',
    'create task CDI specification of the GPUs',
    'create unit kbs-gpu-cdi.service',
    'create image nvidia',
  ]);
  expect(changed(await applied(project, world))).toEqual([]);
});

it('all of it goes when the host has no GPUs any more, on the host and in the cluster', async () => {
  const { project, world } = await bareWith('nvidia');
  machineWith(world);
  await applied(project, world);
  writeFileSync(project.inventory, withGpu('none'));
  const plan = await applied(project, world);
  expect(ofGpus(plan).filter((line) => line.startsWith('remove '))).toEqual([
    'remove object nvidia-runtime-class',
    'remove object nvidia-device-plugin',
    'remove image nvidia',
    'remove unit kbs-gpu-cdi.service',
    'remove task CDI specification of the GPUs',
    'remove file /usr/local/lib/kbs/gpu-cdi',
    'remove directory /etc/cdi',
    'remove binary /usr/local/bin/nvidia-cdi-hook',
    'remove binary /usr/local/bin/nvidia-ctk',
  ]);
  expect(changed(plan)).toContain('update file /etc/containerd/conf.d/50-kbs.toml');
  expect(changed(await applied(project, world))).toEqual([]);
});

it('another way of sharing has a device plugin of its own, and the former one goes', async () => {
  const { project, world } = await bareWith('nvidia');
  machineWith(world);
  await applied(project, world);
  writeFileSync(project.inventory, withGpu('{ vendor: nvidia, timeSlicing: 4 }'));
  expect(changed(await applied(project, world))).toEqual([
    'update object nodes',
    'update object machines',
    'create object nvidia-device-plugin-shared-4',
    'remove object nvidia-device-plugin',
  ]);
  expect([...world.objects.keys()].filter((key) => key.includes('nvidia'))).toEqual([
    'RuntimeClass/nvidia',
    'ConfigMap/kube-system/nvidia-device-plugin-shared-4',
    'DaemonSet/kube-system/nvidia-device-plugin-shared-4',
  ]);
  expect(changed(await applied(project, world))).toEqual([]);
});

it('the driver of the distribution is installed where there is none, and stays when it is there', async () => {
  const { project, world } = await bareWith('{ vendor: nvidia, driver: distribution }');
  const packages = ['nvidia-kernel-dkms', 'nvidia-smi'];
  machineWith(world, { ...noDriver, packages });
  expect(changed(await applied(project, world))).toEqual(
    expect.arrayContaining(['create package nvidia-kernel-dkms nvidia-smi', "create task NVIDIA's driver is loaded"]),
  );
  machineWith(world, { ...nvidiaDriver, packages });
  // Only now the driver says what the GPUs are.
  expect(changed(await applied(project, world))).toEqual(['update object machines']);
  expect(changed(await applied(project, world))).toEqual([]);
});

it('a fault stops the run before anything is changed', async () => {
  const { project, world } = await bareWith('nvidia');
  machineWith(world, noDriver);
  const before = world.snapshot();
  const outcome = await run(project, world, phaseRun(apply));
  expect(inWords(outcome)).toEqual(["preflight: gpu-driver: NVIDIA's driver is not installed"]);
  expect(world.snapshot()).toEqual(before);
});

it('GPUs that the inventory does not name are proposed in the plan, and nothing is done about them', async () => {
  const { project, world } = await projects.bare();
  machineWith(world);
  const plan = await applied(project, world);
  expect(ofGpus(plan)).toEqual([]);
  expect(plan?.hosts.flatMap(({ host, notes = [] }) => notes.map((note) => `${host} ${note}`))).toEqual([
    'w-0 has 2 NVIDIA GPUs: set gpu: nvidia in the inventory to give them to pods, or gpu: none to leave them alone',
  ]);
});
