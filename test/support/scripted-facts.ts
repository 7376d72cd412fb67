import type { Facts, GpuFacts, System } from '../../src/hosts/facts/facts.js';
import type { NetworkFacts } from '../../src/hosts/facts/network.js';

/** Facts as `factsScript` prints them: what `parseFacts` reads back. */
export const printFacts = (facts: Facts): string => {
  const many = (key: string, values: readonly (string | number)[]) => values.map((value) => `${key} ${value}`);
  const when = (key: string, so: boolean) => (so ? [`${key} yes`] : []);
  return [
    `hostname ${facts.hostname}`,
    `arch ${facts.arch}`,
    ...(facts.model === '' ? [] : [`model ${facts.model}`]),
    `os ${facts.os}`,
    `kernel ${facts.kernel}`,
    `clock ${facts.clock}`,
    `uid ${facts.uid}`,
    ...when('systemd', facts.systemd),
    `cgroup ${facts.cgroup}`,
    ...many('controller', facts.controllers),
    `cpus ${facts.cpus}`,
    `memory ${facts.memory}`,
    `virtualization ${facts.virtualization}`,
    ...when('oom', facts.oomAdjustable),
    ...when('conntrack', facts.conntrackWritable),
    ...many('feature', facts.features),
    ...many('tool', facts.tools),
    ...printAddresses(facts),
    ...facts.routes.map(({ to, via, device }) => `route ${to}${via === undefined ? '' : ` via ${via}`} dev ${device}`),
    ...many('swap', facts.swaps),
    ...many('nameserver', [
      ...facts.nameservers,
      ...facts.hostOnlyNameservers.filter((each) => !facts.nameservers.includes(each)),
    ]),
    `resolvconf ${facts.resolvConf}`,
    `resolver ${facts.resolver}`,
    ...many('search', facts.searchDomains),
    ...many('resolveroptions', facts.resolverOptions),
    ...facts.nameServices.map(({ address, process }) => `nameservice ${address} users:(("${process}",pid=1,fd=3))`),
    ...many('networkdaemon', facts.networkDaemons),
    ...facts.listeners.map(({ port, process }) => `listener ${port} users:(("${process}",pid=1,fd=3))`),
    ...facts.firewalls.map(({ hook, table, chain }) => `firewall ${hook} ${table} ${chain}`),
    ...facts.firewalls.flatMap(({ table, rules }) =>
      rules.map(({ chain, text }) => `firewallrule ${table} ${chain} ${text}`),
    ),
    ...many('cniconfig', facts.cniConfigs),
    ...many('commanddropin', facts.commandDropIns),
    ...many('dropin', facts.dropIns),
    `machineid ${facts.machineId}`,
    ...(facts.machine?.kind === 'virtual' ? [`machine vm ${facts.machine.platform}`] : []),
    ...(facts.machine?.kind === 'physical' ? ['machine vm none'] : []),
    ...(facts.machine?.steal === undefined ? [] : [`machine cpu ${facts.machine.steal * 100} 100`]),
    ...printSystem(facts.system),
    ...when('etcdmember', facts.etcdMember),
    ...when('etcdinstalled', facts.etcdInstalled),
    ...facts.etcdServers.slice(0, 1).map(() => `etcdservers ${facts.etcdServers.join(',')}`),
    ...printGpuFacts(facts.gpu),
    ...(facts.clusterCa === undefined ? [] : [`clusterca ${facts.clusterCa}`]),
  ].join('\n');
};

/** Those of links too, which may have some that are not global. */
const printAddresses = ({ addresses, network }: Facts): readonly string[] => {
  const links = network?.links ?? [];
  const linkOf = (address: string) => links.find((link) => link.addresses.includes(address))?.name ?? 'eth0';
  const others = links.flatMap((link) => link.addresses.map((address) => [address, link.name] as const));
  return [
    ...addresses.map((address) => `address ${address} ${linkOf(address)} global`),
    ...others
      .filter(([address]) => !addresses.includes(address))
      .map(([address, name]) => `address ${address} ${name} link`),
  ];
};

/** As `networkScript` prints it; the routes of a rule are lines of their own. */
export const printNetwork = ({ rules, links, paths, hostsLines, resolved }: NetworkFacts): string =>
  [
    ...rules.map(
      ({ priority, from = 'all', to, table }) =>
        `rule ${priority}: from ${from}${to === undefined ? '' : ` to ${to}`} lookup ${table}`,
    ),
    ...rules.flatMap(({ table, routes }) =>
      routes.map(
        ({ to, via, device }) => `tableroute ${table} ${to}${via === undefined ? '' : ` via ${via}`} dev ${device}`,
      ),
    ),
    ...links.map(({ name, mtu }) => `link ${name}: ${mtu}`),
    ...links.filter(({ isClosed }) => isClosed).map(({ name }) => `closed /proc/sys/net/ipv4/conf/${name}/forwarding`),
    ...paths.map(({ to, from, device, via, error }) =>
      from === undefined
        ? `path ${to} ${error}`
        : `path ${to} ${via === undefined ? '' : `via ${via} `}dev ${device} src ${from}`,
    ),
    ...hostsLines.map(
      ({ file, line, address, names, isOwn }) =>
        `hostsline ${file} ${line} ${isOwn ? 'own' : 'other'} ${address} ${names.join(' ')}`,
    ),
    ...resolved.map(({ name, addresses }) => `resolved ${name} ${addresses.join(' ')}`),
  ].join('\n');

const printSystem = (system: System | undefined): readonly string[] =>
  system === undefined
    ? []
    : [
        ...(system.id === undefined ? [] : [`system osid ${system.id}`]),
        ...(system.like.length === 0 ? [] : [`system oslike ${system.like.join(' ')}`]),
        ...(system.version === undefined ? [] : [`system osversion ${system.version}`]),
        ...(system.packageManager === undefined ? [] : [`system packages ${system.packageManager}`]),
        ...system.programs.map((name) => `system program ${name}`),
        ...(system.selinux === undefined ? [] : [`system selinux ${system.selinux}`]),
        ...(system.clockSynchronised === undefined ? [] : [`system clock ${system.clockSynchronised ? 'yes' : 'no'}`]),
        ...(system.timeDaemon === undefined ? [] : [`system timedaemon ${Object.values(system.timeDaemon).join(' ')}`]),
        ...(system.kernelLog === undefined ? [] : [`system kernellog ${system.kernelLog}`]),
        ...system.mounts.map(
          ({ folder, type, at, options }) => `system mount ${folder} ${type} ${at} ${options.join(',')}`,
        ),
        ...system.mounts.flatMap(({ folder, free, freeFiles }) =>
          free === undefined ? [] : [`system space ${folder} ${free} ${freeFiles ?? 0} ${freeFiles ?? 0}`],
        ),
        ...(system.xfsTypes === undefined ? [] : [`system xfstypes ${system.xfsTypes ? 'yes' : 'no'}`]),
        ...(system.zfs === undefined ? [] : [`system zfs ${system.zfs}`]),
        ...system.etcdClusters.map((name) => `system etcdof ${name}`),
        ...system.otherClusters.map((name) => `system runs ${name}`),
        ...system.zramUnits.map((name) => `system zram ${name}`),
      ];

const printGpuFacts = ({ busRead, devices, switches, iommu, nodes, nvidia }: GpuFacts): readonly string[] => [
  ...(busRead ? ['gpubus read'] : []),
  ...devices.map(({ address, vendor, id, driver }) =>
    `gpudevice ${address} ${vendor === 'amd' ? '0x1002' : '0x10de'} 0x${id} ${driver}`.trim(),
  ),
  ...Array.from({ length: switches }, (_, index) => `gpuswitch 0000:0${index}:00.0`),
  ...(iommu ? ['iommu dmar0'] : []),
  ...nodes.map((node) => `gpunode ${node}`),
  ...devices.flatMap(({ address, model, memory, mig }) => {
    if (memory === undefined && mig === undefined) return model === undefined ? [] : [`gpumodel ${address} ${model}`];
    const mode = mig === undefined ? '[N/A]' : mig ? 'Enabled' : 'Disabled';
    return [`gpusmi 0000${address.toUpperCase()}, ${memory ?? '[N/A]'}, ${mode}, ${model ?? ''}`];
  }),
  ...(nvidia === undefined
    ? []
    : [
        `nvidialoaded ${nvidia.loaded ?? ''}`,
        ...(nvidia.module === undefined ? [] : [`nvidiamodule ${nvidia.module}`]),
        ...(nvidia.signed ? ['nvidiasigner DKMS module signing key'] : []),
        ...(nvidia.library === undefined ? [] : [`nvidialibrary ${nvidia.library}`]),
        ...(nvidia.nouveau ? ['nouveau loaded'] : []),
        `nvidiasecureboot ${nvidia.secureBoot}`,
        ...(nvidia.headers ? ['kernelheaders yes'] : []),
        ...(nvidia.silent ? ['gpusmi silent'] : []),
        ...(nvidia.fabricManager ? [`fabricmanager ${nvidia.fabricManager.load} ${nvidia.fabricManager.active}`] : []),
        ...(nvidia.packages.length > 0 ? [`nvidiapackages ${nvidia.packages.join(' ')}`] : []),
      ]),
];
