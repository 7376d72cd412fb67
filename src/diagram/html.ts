import type { Forward } from '../inventory/lan-services.js';
import { pageScript, pageStyle } from './html-page.js';
import { summary } from './lines.js';
import { element, escaped } from './markup.js';
import { badges, badgesOf, type Diagram, type DrawnHost, hostsOf } from './model.js';
import { svg } from './svg.js';

/** A page without external resources: the drawing, and tables of hosts and routes with a filter. */
export const html = (diagram: Diagram): string => {
  const hosts = hostsOf(diagram);
  const title = escaped(`${diagram.name}: topology`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>
${pageStyle()}
</style>
</head>
<body>
<main>
<div class="drawing" tabindex="0" role="group" aria-label="Drawing of the network">
${svg(diagram)}</div>
<form role="search" onsubmit="return false">
<label for="filter">Filter</label>
<input id="filter" type="search" placeholder="name, address, role, label" autocomplete="off">
<output id="count" for="filter"></output>
</form>
${section('Hosts', ['name', 'address', 'segment', 'roles', 'pods', 'GPU', 'hypervisor', 'labels and taints'], hosts.map(hostCells))}
${section('Forwarded ports', ['port', 'to', 'port there', 'hosts'], diagram.forwards.map(forwardCells))}
${section(
  'Names',
  ['name', 'address'],
  (diagram.dns?.records ?? []).map(({ name, address }) => [escaped(name), code(address)]),
)}
${section('Routes', ['on', 'pods of', 'to', 'via'], routeCells(diagram))}
<footer>${escaped(summary(diagram, hosts.length))}</footer>
</main>
<script>
${pageScript}
</script>
</body>
</html>
`;
};

/** A table without its empty columns. */
const section = (title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  if (rows.length === 0) return '';
  const used = [...heads.keys()].filter((column) => rows.some((cells) => cells[column] !== ''));
  const head = used.map((column) => element('th', { scope: 'col' }, escaped(heads[column] ?? ''))).join('');
  const body = rows.map((cells) => {
    const [first = '', ...others] = used.map((column) => cells[column] ?? '');
    return `<tr>${element('th', { scope: 'row' }, first)}${others.map((cell) => element('td', {}, cell)).join('')}</tr>`;
  });
  return `<section>
<h2>${title}</h2>
<div class="wide">
<table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('\n')}
</tbody>
</table>
</div>
</section>`;
};

/** The cells of a row, as markup. */
const hostCells = (host: DrawnHost): readonly string[] => [
  escaped(host.name),
  [host.address, ...(host.ipv6 === undefined ? [] : [host.ipv6.address])].map(code).join('<br>'),
  escaped(host.segment),
  badgesOf(host)
    .filter((badge) => badge !== 'gpu')
    .map((badge) => element('span', { class: `badge ${badge}` }, badges[badge].noun))
    .join(' '),
  [host.podCidr, host.ipv6?.podCidr].flatMap((cidr) => (cidr === undefined ? [] : code(cidr))).join('<br>'),
  escaped(host.gpu === undefined ? '' : [host.gpuCount, host.gpu].join(' ').trim()),
  escaped(host.hypervisor ?? ''),
  host.labelsAndTaints.map(code).join('<br>'),
];

const forwardCells = ({ port, to, targetPort, targets, proxyProtocol }: Forward): readonly string[] => [
  String(port),
  escaped(to),
  `${targetPort}${proxyProtocol ? ' (PROXY protocol)' : ''}`,
  escaped(targets.map(({ name }) => name).join(', ')),
];

const routeCells = ({ segments }: Diagram): readonly (readonly string[])[] =>
  segments.flatMap(({ name, routes, vip, hosts }) => [
    ...routes.map(({ segment, to, via }) => [
      escaped(`hosts of ${name}`),
      escaped(`segment ${segment}`),
      code(to),
      code(via),
    ]),
    ...[...(vip?.hosts ?? []), ...hosts].flatMap((host) =>
      host.podCidr === undefined
        ? []
        : [[escaped(`routers and hosts of ${name}`), escaped(host.name), code(host.podCidr), code(host.address)]],
    ),
  ]);

const code = (text: string): string => element('code', {}, escaped(text));
