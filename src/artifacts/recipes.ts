import type { ImageName } from './artifacts.js';
import { imagePrefix } from './artifacts.js';
import type { GoProgram, ImageRecipe, LayerRecipe } from './release.js';

/**
 * Programs of k8s.io/kubernetes. The module proxy does not say the commit of a tag, so the tag stands for it;
 * `built` is the tag's time, so that two builds are the same bytes.
 */
export const kubernetesProgram =
  ({ version, built }: { readonly version: string; readonly built: string }) =>
  (name: string, packagePath: string): GoProgram => {
    const [major = '', minor = ''] = version.split('.');
    const stamps = {
      gitVersion: `v${version}`,
      gitMajor: major,
      gitMinor: minor,
      gitTreeState: 'clean',
      gitCommit: `v${version}`,
      buildDate: built,
    };
    return goProgram({
      name,
      version,
      folder: `kubernetes-${version}`,
      package: packagePath,
      from: `k8s.io/kubernetes v${version}`,
      stamps: Object.fromEntries(
        ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((home) =>
          Object.entries(stamps).map(([variable, value]) => [`${home}.${variable}`, value]),
        ),
      ),
    });
  };

export const containerdProgram = (name: string, version: string): GoProgram =>
  goProgram({
    name,
    version,
    folder: `containerd-${version}`,
    package: `github.com/containerd/containerd/v2/cmd/${name}`,
    from: `github.com/containerd/containerd/v2 v${version}`,
    stamps: {
      'github.com/containerd/containerd/v2/version.Version': `v${version}`,
      'github.com/containerd/containerd/v2/version.Revision': `v${version}`,
    },
    // Upstream's own tags; without gRPC a shim, of which every pod has one, is a third smaller.
    tags: name.includes('shim') ? ['urfave_cli_no_docs', 'no_grpc'] : ['urfave_cli_no_docs'],
  });

export const cniPlugin = (plugin: string, version: string): GoProgram =>
  goProgram({
    name: `cni-${plugin}`,
    version,
    folder: `cni-plugins-${version}`,
    package: `github.com/containernetworking/plugins/plugins/${kindOfPlugin[plugin] ?? 'main'}/${plugin}`,
    from: `github.com/containernetworking/plugins v${version}`,
    stamps: { 'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion': `v${version}` },
  });

/** A command of one of NVIDIA's modules; it opens the driver's library on the host. */
export const nvidiaProgram = (
  given: Pick<GoProgram, 'name' | 'version' | 'folder' | 'package'>,
  module: string,
): GoProgram =>
  goProgram({
    ...given,
    package: `${module}/${given.package}`,
    from: `${module} v${given.version}`,
    stamps: { [`${module}/internal/info.version`]: given.version },
    cgo: 'dynamic',
  });

export const metricsServerProgram = (version: string): GoProgram =>
  goProgram({
    name: 'metrics-server',
    version,
    package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    from: `sigs.k8s.io/metrics-server v${version}`,
    stamps: { 'k8s.io/client-go/pkg/version.gitVersion': `v${version}` },
  });

/** MetalLB says its version by itself. */
export const metallbProgram = (name: 'controller' | 'speaker', version: string): GoProgram =>
  goProgram({
    name: `metallb-${name}`,
    version,
    folder: `metallb-${version}`,
    package: `go.universe.tf/metallb/${name}`,
    from: `go.universe.tf/metallb v${version}`,
    stamps: { 'go.universe.tf/metallb/internal/version.gitCommit': `v${version}` },
  });

/** A command of a program that stamps its version as all of Prometheus's own do. `from`: its module and version. */
export const prometheusProgram = (
  given: Pick<GoProgram, 'name' | 'version' | 'package'> & Partial<GoProgram>,
  from: string,
): GoProgram => {
  const [module = ''] = from.split(' ');
  return goProgram({
    ...given,
    package: given.package === '' ? module : `${module}/${given.package}`,
    from,
    stamps: { 'github.com/prometheus/common/version.Version': given.version },
  });
};

const kindOfPlugin: Readonly<Record<string, string>> = { 'host-local': 'ipam', portmap: 'meta', bandwidth: 'meta' };

export const goProgram = (
  given: Pick<GoProgram, 'name' | 'version' | 'package' | 'from'> & Partial<GoProgram>,
): GoProgram => ({
  language: 'go',
  libraries: [],
  folder: `${given.name}-${given.version}`,
  stamps: {},
  tags: [],
  cgo: 'none',
  ...given,
});

export const empty: LayerRecipe = { name: '', programs: {}, links: {}, packages: [], baseFiles: false };

export const layer = (name: string, programs: readonly string[]): LayerRecipe => ({
  ...empty,
  name,
  programs: Object.fromEntries(programs.map((program) => [`/usr/local/bin/${program}`, program])),
  baseFiles: true,
});

/** An image of one program, which has its name, where the operator of Prometheus looks for it. */
export const ofOneProgram = (name: ImageName, version: string): ImageRecipe =>
  image(name, version, [`/bin/${name}`], [{ ...layer(name, []), programs: { [`/bin/${name}`]: name } }]);

export const image = (
  name: ImageName,
  version: string,
  entrypoint: readonly string[],
  layers: readonly LayerRecipe[],
): ImageRecipe => ({ reference: `${imagePrefix}${name}:${version}`, entrypoint, layers });
