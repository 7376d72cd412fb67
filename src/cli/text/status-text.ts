import type { Machine } from '../../hosts/facts/machine.js';
import type { HostStatus, Status } from '../../workflows/status.js';
import { colorsFor, plain } from './color.js';
import { details } from './failure-text.js';
import { counted } from './format.js';
import { oneLine } from './printable.js';
import { problemKey } from './problem-groups.js';

/** A cluster at a glance; with `verbose`, what is known of each machine too. */
export function statusText(status: Status, verbose = false): string {
  const colors = colorsFor(process.stdout);
  const mark = (ok: boolean) => (ok ? colors('green', '✔') : colors('red', '✘'));
  const findings = new Map(
    status.findings.filter(({ proof }) => proof === 'nodes Ready').map((one) => [one.name, one]),
  );
  const parts = status.findings.filter(({ proof }) => proof === 'components');
  const broken = parts.filter(({ ok }) => !ok);
  const [soonest] = status.certificates;
  const explain = explainedOnce();
  return [
    `${colors('bold', status.cluster)}  Kubernetes ${status.version}`,
    ...status.hosts.map((host) => {
      const node = findings.get(host.name);
      const ok = host.problem === undefined && (node?.ok ?? !host.podCidr);
      const words =
        host.problem?.what ??
        [
          `routes ${host.routes}`,
          ...(node ? [`Ready ${node.detail}`] : []),
          ...(host.machine?.kind === undefined ? [] : [kindText(host.machine)]),
        ].join(', ');
      const machine = verbose && host.machine ? [`    ${oneLine(machineText(host.machine))}`] : [];
      return [`${mark(ok)} ${oneLine(`${row(host)}  ${words}`)}`, ...ipv6Row(host), ...machine, ...explain(host)].join(
        '\n',
      );
    }),
    status.findings.length === 0
      ? `${mark(false)} the API server does not answer`
      : `${mark(broken.length === 0)} components ${parts.length - broken.length}/${parts.length}`,
    ...broken.map(({ name, detail }) => `    ${oneLine(`${name}: ${detail}`)}`),
    ...forwardLines(status.hosts).map(([ok, text]) => `${mark(ok)} ${oneLine(text)}`),
    soonest
      ? `${mark(soonest.daysLeft > 30)} certificates: the first of ${status.certificates.length} ends in ${counted(soonest.daysLeft, 'day')} (${soonest.path})`
      : `${mark(false)} certificates: no keyring in .kbs/${status.cluster} on this machine`,
    '',
  ].join('\n');
}

/** A line for each forwarded port where all load balancers say the same of it, else one for each of them. */
const forwardLines = (hosts: readonly HostStatus[]): readonly (readonly [ok: boolean, text: string])[] => {
  const lines = new Map<string, { readonly ok: boolean; readonly on: string[] }>();
  for (const { name, forwards = [] } of hosts) {
    for (const { port, to, targetPort, ok, detail } of forwards) {
      const text = `port ${port} → ${to}:${targetPort}: ${detail}`;
      lines.set(text, { ok, on: [...(lines.get(text)?.on ?? []), name] });
    }
  }
  return [...lines].map(([text, { ok, on }]) => [ok, `${text} (${on.join(', ')})`]);
};

/** `virtual (kvm)`. */
const kindText = ({ kind, platform }: Machine): string => `${kind}${platform === undefined ? '' : ` (${platform})`}`;

const machineText = ({ product, steal, clockSource, balloon, nested, kind }: Machine): string =>
  [
    ...(product === undefined ? [] : [product]),
    ...(steal === undefined ? [] : [`steal ${(steal * 100).toFixed(1)} %`]),
    ...(clockSource === undefined ? [] : [`clock source ${clockSource}`]),
    ...(balloon ? ['memory balloon'] : []),
    ...(nested ? [kind === 'virtual' ? 'nested virtualization' : 'virtualization'] : []),
  ].join(', ');

/** Why, and the next step, under the first host that has this problem. */
const explainedOnce = (): ((host: HostStatus) => readonly string[]) => {
  const explained = new Set<string>();
  return ({ name, problem }) => {
    if (problem === undefined) return [];
    const key = problemKey({ host: name, problem: problem });
    if (explained.has(key)) return [];
    explained.add(key);
    return details(problem, plain).map((line) => `  ${line}`);
  };
};

const row = ({ name, address, roles, segment, podCidr }: HostStatus): string =>
  `${name.padEnd(20)} ${address.padEnd(16)} ${segment.padEnd(10)} ${roles.join(',').padEnd(24)} ${(podCidr ?? '').padEnd(18)}`;

/** The IPv6 half of a host, below its row and in the same columns. */
const ipv6Row = ({ ipv6 }: HostStatus): readonly string[] =>
  ipv6 === undefined
    ? []
    : [`  ${''.padEnd(20)} ${ipv6.address}${ipv6.podCidr === undefined ? '' : `  pods ${ipv6.podCidr}`}`];
