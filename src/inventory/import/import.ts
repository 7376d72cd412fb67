import { Failure } from '../../failure.js';
import type { VarFile } from './ansible.js';
import { readAnsibleIni } from './ansible-ini.js';
import { isAnsibleYaml, readAnsibleYaml } from './ansible-yaml.js';
import { isK0sctl, readK0sctl } from './k0sctl.js';
import { readKubespray } from './kubespray.js';
import { isRke, readRke } from './rke.js';
import { type ImportOptions, toInventory } from './to-inventory.js';
import { type Remark, type Tool, type ToolCluster, toolNames, tools } from './tool-cluster.js';
import { writeDraft } from './write.js';
import { readYaml } from './yaml-input.js';

/** A file of another tool. */
export interface ImportSource {
  readonly file: string;
  readonly text: string;
  /** The tool, where the operator says so. */
  readonly tool?: Tool;
  /** For kubespray, which names no cluster: the folder of its inventory. */
  readonly folder: string;
  /** For kubespray: what lies in `group_vars` and `host_vars` beside the inventory. */
  readonly varFiles: readonly VarFile[];
  /** For kubespray: what of that could not be read. */
  readonly unread: readonly Remark[];
}

export interface ImportedInventory {
  readonly tool: Tool;
  /** The inventory, with comments. */
  readonly text: string;
  readonly remarks: readonly Remark[];
  /** The fields that it has, as `network.pods`. */
  readonly taken: readonly string[];
  readonly hosts: { readonly controlPlanes: number; readonly workers: number; readonly all: number };
}

/**
 * The inventory for a cluster that a file of another tool describes. Throws Failures `inventory` with `file:line` for
 * what is wrong in the file, `usage` where it is of none of the tools.
 */
export const importInventory = (source: ImportSource, options: ImportOptions): ImportedInventory => {
  const cluster = read(source);
  const { tool, hosts } = cluster;
  if (hosts.length === 0) {
    throw new Failure('inventory', `${source.file} has no control plane and no worker`, {
      next:
        tool === 'kubespray'
          ? 'kubespray has them in the groups kube_control_plane and kube_node'
          : 'name another file',
    });
  }
  const draft = toInventory({ ...cluster, remarks: [...cluster.remarks, ...source.unread] }, options);
  const having = (role: 'control-plane' | 'worker') => hosts.filter(({ roles }) => roles.includes(role)).length;
  const head = [
    `Imported from ${toolNames[tool]}: ${source.file}`,
    'It describes a new cluster on these hosts: kbs does not take over one that runs on them.',
  ];
  return {
    tool,
    text: writeDraft(draft, head),
    remarks: draft.remarks,
    taken: Object.entries(draft.inventory).flatMap(([key, value]) => (fixed.includes(key) ? [] : fieldsOf(key, value))),
    hosts: { controlPlanes: having('control-plane'), workers: having('worker'), all: hosts.length },
  };
};

const fixed = ['apiVersion', 'hosts'];

const fieldsOf = (key: string, value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value).map((field) => `${key}.${field}`)
    : [key];

const read = ({ file, text, tool, folder, varFiles }: ImportSource): ToolCluster => {
  if (text.startsWith('$ANSIBLE_VAULT')) {
    throw new Failure('usage', `${file} is encrypted by Ansible Vault`, {
      next: `import what this prints: ansible-vault view ${file}`,
    });
  }
  if (isIni(file, text)) {
    if (tool !== undefined && tool !== 'kubespray') {
      throw new Failure('usage', `${file} is an Ansible inventory, and no file of ${toolNames[tool]}`, {
        next: 'leave out --from, or name another file',
      });
    }
    return readKubespray(readAnsibleIni(text, file), varFiles, folder);
  }
  const documents = readYaml(text, file);
  const [first] = documents;
  const is = (test: (value: unknown) => boolean): boolean => documents.some(({ value }) => test(value));
  const recognized =
    tool ?? (is(isK0sctl) ? 'k0sctl' : is(isRke) ? 'rke' : is(isAnsibleYaml) ? 'kubespray' : undefined);
  if (first === undefined || recognized === undefined) {
    throw new Failure('usage', `${file} is not a file that kbs can import`, {
      why: ['it is neither an Ansible inventory nor a k0sctl.yaml nor a cluster.yml of RKE'],
      next: `name the tool: --from ${tools.join(', ')}`,
    });
  }
  if (recognized === 'k0sctl') return readK0sctl(documents);
  return recognized === 'rke' ? readRke(first) : readKubespray(readAnsibleYaml(first), varFiles, folder);
};

/** An Ansible inventory is INI where its name says so, and elsewhere where it has a section. */
const isIni = (file: string, text: string): boolean =>
  /\.ini$/.test(file) || (!/\.(ya?ml|json)$/.test(file) && /^\[[^\]\n]+\][ \t]*([#;].*)?\r?$/m.test(text));
