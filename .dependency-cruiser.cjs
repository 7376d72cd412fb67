// The lock on the doors of AGENTS.md. Imports point one way: a room names here what it may import, and nothing else
// passes. Types count: a type-only import is an import. Every room may import failure.ts, secret.ts,
// defined.ts and visible.ts.

const everybodys = ['failure', 'secret', 'defined', 'visible'];

/** Room → what of src it may import besides itself: paths below src, without `.ts`; a trailing slash is a whole room. */
const rooms = {
  workflows: [
    'addons/',
    'engine/',
    'phases/',
    'kubernetes/',
    'preflight/',
    'verify/',
    'resources/',
    'templates/',
    'network/',
    'impact/',
    'diagram/',
    'pki/',
    'hosts/',
    'inventory/',
    'artifacts/',
    'lab/',
    'private-folder',
  ],
  cli: [
    'artifacts/arch',
    'engine/event',
    'engine/plan',
    'preflight/check-names',
    'inventory/cluster',
    'inventory/did-you-mean',
    'private-folder',
  ],
  verify: [
    'addons/',
    'engine/',
    'phases/',
    'kubernetes/',
    'resources/',
    'network/',
    'pki/certificate',
    'inventory/',
    'hosts/host',
    'hosts/shell',
    'hosts/records',
    'hosts/facts/facts',
    'hosts/message',
    'hosts/last-lines',
  ],
  preflight: ['network/', 'inventory/', 'hosts/host', 'hosts/shell', 'hosts/facts/facts', 'artifacts/arch'],
  engine: [
    'resources/',
    'hosts/host',
    'hosts/shell',
    'hosts/records',
    'hosts/last-lines',
    'hosts/facts/',
    'phases/phase',
    'inventory/cluster',
    'inventory/addresses',
    'inventory/did-you-mean',
  ],
  phases: [
    'addons/',
    'resources/',
    'templates/',
    'network/',
    'kubernetes/kubectl',
    'kubernetes/etcdctl',
    'kubernetes/paths',
    'inventory/cluster',
    'inventory/addresses',
    'inventory/host-packages',
    'inventory/lan-services',
    'inventory/metrics',
    'pki/credentials',
    'pki/certificates',
    'pki/kubeconfig',
    'artifacts/arch',
    'artifacts/artifacts',
    'hosts/facts/facts',
    'hosts/shell',
  ],
  kubernetes: [
    // An operation on a cluster is a value for the engine; its type alone is known here.
    'engine/operation',
    'hosts/host',
    'hosts/shell',
    'hosts/records',
    'hosts/pool',
    'hosts/message',
    'hosts/last-lines',
    'inventory/cluster',
  ],
  resources: ['hosts/shell', 'hosts/host', 'hosts/facts/packages', 'artifacts/artifacts', 'kubernetes/kubectl-answer'],
  addons: ['inventory/addresses', 'inventory/cluster', 'inventory/metrics', 'pki/credentials', 'artifacts/artifacts'],
  impact: [
    'network/segments-graph',
    'inventory/cluster',
    'inventory/addresses',
    'inventory/did-you-mean',
    'inventory/lan-services',
  ],
  diagram: ['network/segments-graph', 'inventory/cluster', 'inventory/lan-services'],
  network: ['inventory/cluster', 'inventory/addresses', 'inventory/host-pods'],
  pki: ['inventory/cluster', 'inventory/addresses', 'inventory/lan-services', 'inventory/metrics', 'private-folder'],
  lab: ['inventory/cluster', 'inventory/addresses', 'inventory/did-you-mean', 'hosts/shell', 'private-folder'],
  hosts: ['inventory/cluster'],
  inventory: [],
  templates: [],
  artifacts: [],
};

/** Who prints a value knows its type, whichever room it comes from. */
const typesOfAll = ['cli'];

/** Classes that commands are made from: they call workflows as a command does, and only commands import them. */
const commandBases = ['cli/run-command', 'cli/lab-host-command'];

/** Package → the files of src that may import it. */
const doors = {
  '@oclif/core': ['commands/', 'cli/base-command', 'cli/flags', 'cli/lab-host-command', 'cli/unknown-command'],
  listr2: ['cli/events/tree'],
  diff: ['cli/text/diff-text'],
  ssh2: ['hosts/ssh/'],
  // ssh itself is asked for its configuration.
  execa: ['hosts/local', 'hosts/interactive', 'hosts/openssh/', 'hosts/ssh/ssh-config', 'artifacts/', 'lab/'],
  'node-forge': ['pki/authority'],
  handlebars: ['templates/render'],
  // Where text from outside becomes a typed value: the inventory, and the catalogue of a bundle, digests that a reviewer wrote.
  zod: ['inventory/', 'artifacts/bundle-catalogue', 'artifacts/upstream/pins'],
  undici: ['artifacts/http'],
  fflate: ['artifacts/upstream/module'],
  minimatch: ['artifacts/charts/helmignore'],
  openpgp: ['artifacts/upstream/signature'],
  ajv: ['workflows/addons/check-values'],
  yaml: [
    'inventory/',
    'pki/kubeconfig',
    'pki/merge-kubeconfig',
    'resources/object',
    'resources/release-preview',
    'artifacts/charts/',
    'cli/',
    'templates/',
  ],
  'tar-stream': ['artifacts/'],
  'ipaddr.js': ['inventory/addresses'],
  'proper-lockfile': ['workflows/'],
};

/** These compute; whoever calls them has looked at the world before. */
const pure = ['addons', 'phases', 'network', 'resources', 'impact', 'diagram'];
const world = ['fs', 'net', 'child_process', 'os', 'dns', 'dgram', 'http', 'https', 'tls', 'timers', 'worker_threads'];

const src = (path) => (path.endsWith('/') ? `^src/${path}` : `^src/${path}[.]ts$`);
const escaped = (text) => text.replace(/[.]/g, '[.]');

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `src/${room} imports only what its line in .dependency-cruiser.cjs names`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: commandBases.map(src) },
  to: {
    path: '^src/',
    pathNot: [`${room}/`, ...everybodys, ...allowed].map(src),
    ...(typesOfAll.includes(room) && { dependencyTypesNot: ['type-only'] }),
  },
}));

const doorRules = Object.entries(doors).map(([name, files]) => ({
  name: `door-${name}`,
  comment: `${name} is imported through one door: ${files.join(', ')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: files.map(src) },
  to: { path: `(^|/)node_modules/(@types/)?${escaped(name)}/` },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    ...doorRules,
    {
      name: 'everybodys',
      comment: 'what everybody imports, imports nothing of ours',
      severity: 'error',
      from: { path: everybodys.map(src) },
      to: { path: '^src/' },
    },
    {
      name: 'commands-are-the-end',
      comment: 'nothing imports a command, nor what only commands are made from',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/commands/' },
      to: { path: ['^src/commands/', ...commandBases.map(src)] },
    },
    {
      name: 'pure',
      comment: 'phases, routes and resources are computed: no file, no socket, no process, no timer',
      severity: 'error',
      from: { path: pure.map((room) => `^src/${room}/`) },
      to: { path: `^(node:)?(${world.join('|')})($|/)` },
    },
    {
      name: 'a-room-for-everything',
      comment: 'a new room of src needs a line here',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [...everybodys, ...Object.keys(rooms).map((room) => `${room}/`), 'commands/'].map(src),
      },
      to: { path: '^src/' },
    },
    {
      name: 'product-alone',
      comment: 'the product imports neither tests nor scripts',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench|bin)/' },
    },
    {
      name: 'no-circular',
      comment: 'a file that needs itself; types count too',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere would pass every other rule',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
