import { sh } from '../../hosts/shell.js';
import type { ClusterHost } from '../../inventory/cluster.js';
import { hasHostMetrics, metricSources, metricsPorts } from '../../inventory/metrics.js';
import type { FileResource, Resource, TaskResource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { artifactsOf } from '../artifacts-of.js';
import { fingerprint } from '../fingerprint.js';
import { packagesFor } from '../packages.js';
import type { Phase, PhaseContext } from '../phase.js';

/**
 * Metrics of a host's programs, pods or not: each tells them on loopback, and one haproxy hands them to the holder of a
 * certificate for metrics.
 */
export const hostMetrics: Phase = {
  name: 'host-metrics',
  ensures: "Prometheus, and nothing else on the LAN, may read the host's metrics",
  appliesTo: hasHostMetrics,
  resources: (host, context) => [
    ...haproxyPackage(host, context),
    { kind: 'directory', path: folder, mode: '0755' },
    ...nodeExporter(host, context),
    ...metricsProxy(host, context),
  ],
};

const folder = '/etc/kbs/metrics';

/** A load balancer has it already, and a unit of its own in the place of the package's. */
const haproxyPackage = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const packages = packagesFor('host-metrics', host, context);
  return packages.length === 0 ? [] : [...packages, packageUnitIsOff];
};

/** The unit that the package brings would start at the next boot, and fail: its settings have nothing to listen on. */
const packageUnitIsOff: TaskResource = {
  kind: 'task',
  name: "the haproxy package's own unit is off",
  check: sh`command -v haproxy && ! systemctl -q is-enabled haproxy.service`,
  run: sh`systemctl -q disable haproxy.service`,
};

const nodeExporter = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const program = artifactsOf(host, context).binary('node-exporter');
  return [
    { kind: 'binary', path: '/usr/local/lib/kbs/node-exporter', content: program },
    { kind: 'directory', path: `${folder}/text`, mode: '0755' },
    certificateDates(host, context),
    {
      kind: 'unit',
      name: 'kbs-node-exporter.service',
      runs: 'service',
      text: render('node-exporter.service', { port: metricsPorts.node, texts: `${folder}/text` }),
      inputs: [program.sha256],
    },
  ];
};

/** In the text format of Prometheus; node_exporter reads it anew each time. */
const certificateDates = ({ name }: ClusterHost, { credentials }: PhaseContext): FileResource => ({
  kind: 'file',
  path: `${folder}/text/certificates.prom`,
  mode: '0644',
  content: [
    '# HELP kbs_certificate_not_after_seconds When a certificate of the keyring expires, in seconds since the epoch.',
    '# TYPE kbs_certificate_not_after_seconds gauge',
    ...credentials
      .expiries(name)
      .flatMap((each) =>
        each.notAfter === undefined ? [] : [`kbs_certificate_not_after_seconds{name="${each.name}"} ${each.notAfter}`],
      ),
    '',
  ].join('\n'),
});

const metricsProxy = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const sources = metricSources(host, context.cluster);
  const certificates = certificateFiles(host, context);
  const settings: FileResource = {
    kind: 'file',
    path: `${folder}/haproxy.cfg`,
    mode: '0644',
    content: render('metrics.cfg', {
      address: host.address,
      port: metricsPorts.tls,
      paths: sources.map(({ path }) => `/${path}`).join(' '),
      sources: sources.map(({ path, port, tls = false }) => ({ path, port, tls })),
    }),
    check: sh`CREDENTIALS_DIRECTORY=${folder} /usr/sbin/haproxy -c -q -f "$1"`,
  };
  return [
    ...certificates,
    settings,
    {
      kind: 'unit',
      name: 'kbs-metrics.service',
      runs: 'service',
      text: render('metrics.service', { folder }),
      inputs: [fingerprint([...certificates, settings])],
    },
  ];
};

/** Under the names by which haproxy finds a key beside its certificate. */
const certificateFiles = ({ name }: ClusterHost, { credentials }: PhaseContext): readonly FileResource[] => {
  const { metrics } = credentials;
  if (metrics === undefined) return [];
  const { certificate, key } = metrics.server(name);
  return [
    { kind: 'file', path: `${folder}/ca.pem`, mode: '0644', content: metrics.ca },
    { kind: 'file', path: `${folder}/server.pem`, mode: '0644', content: certificate },
    { kind: 'file', path: `${folder}/server.pem.key`, mode: '0600', content: key },
  ];
};
