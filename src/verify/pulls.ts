import { type Host, mutation, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { messageOf } from '../hosts/message.js';
import { type Script, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { CheckResult } from './check-result.js';

/**
 * Whether containerd pulls an image on each of these nodes, by the registries and the proxy that the inventory sets up
 * there. What is pulled is in a namespace of containerd of its own, and deleted again.
 */
export const verifyPulls = (
  image: string,
  nodes: readonly ClusterHost[],
  open: (host: ClusterHost) => Host,
  limits: RunOptions,
): Promise<readonly CheckResult[]> => {
  const script = pull(imageReference(image));
  return Promise.all(
    nodes.map(async (node): Promise<CheckResult> => {
      const since = Date.now();
      const problem = await open(node)
        .mutate(mutation(script), { timeout: tenMinutes, ...limits })
        .then(
          ({ code, stderr }) => (code === 0 ? undefined : lastLines(stderr, 2).join('; ') || `exit status ${code}`),
          (error: unknown) => messageOf(error),
        );
      return {
        proof: 'image pull',
        name: `${node.name} pulls ${image}`,
        ok: problem === undefined,
        detail: problem ?? 'pulled, and deleted again',
        ms: Date.now() - since,
      };
    }),
  );
};

const tenMinutes = 600_000;

/** Without `--local` it is containerd itself that pulls, as for a kubelet, and not ctr. */
const pull = (reference: string): Script => sh`ctr=${'/usr/local/bin/ctr'}
finish() {
  $ctr -n kbs-verify images rm --sync ${reference} >/dev/null 2>&1 || :
  $ctr namespaces rm kbs-verify >/dev/null 2>&1 || :
}
trap finish EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
$ctr -n kbs-verify images pull --hosts-dir /etc/containerd/certs.d ${reference} >/dev/null </dev/null`;

/**
 * An image as containerd wants it, with registry and tag: `nginx` is `docker.io/library/nginx:latest`
 * (https://pkg.go.dev/github.com/distribution/reference).
 */
export const imageReference = (image: string): string => {
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const name = hasRegistry ? image : `docker.io/${rest.length === 0 ? 'library/' : ''}${image}`;
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
};
