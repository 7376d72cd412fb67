import { checkComponents } from '../checks/components.js';
import { checkKubelet } from '../checks/kubelet.js';
import { errorText } from '../inventory-error.js';
import { leftOut, type Remark, type ToolCluster } from './tool-cluster.js';

/** The part of `kubernetes` that is about components, and why some of what the tool has for them is not there. */
export interface ImportedComponents {
  readonly is: Readonly<Record<string, Settings>>;
  readonly remarks: readonly Remark[];
}

type Settings = Readonly<Record<string, unknown>>;

/** Flags, feature gates and fields of the kubelet: those that the inventory takes. The rest is left out with the reason. */
export const componentsOf = ({ flags = {}, featureGates = {}, kubelet = {} }: ToolCluster): ImportedComponents => {
  const written: readonly (readonly [section: string, below: readonly string[], settings: Settings])[] = [
    ['featureGates', [], featureGates],
    ...flagged.map((component) => [component, ['extra'], plainFlags(flags[component] ?? {})] as const),
    ['kubelet', [], kubelet],
  ];
  const nested = Object.fromEntries(
    written.map(([section, below, settings]) => [section, below.length > 0 ? { extra: settings } : settings]),
  );
  const errors = [checkComponents, checkKubelet].flatMap((check) => check({ kubernetes: nested }));
  const refused = errors.map((error) => {
    const [section = '', ...below] = error.path.slice(1).map(String);
    const says = errorText({ ...error, path: error.path.slice(1) });
    return { section, name: below.find((step) => step !== 'extra') ?? '', says };
  });
  const sections = written.map(([section, below, settings]) => {
    const taken = Object.fromEntries(
      Object.entries(settings).filter(
        ([name]) => !refused.some((each) => each.section === section && each.name === name),
      ),
    );
    return { section, isEmpty: Object.keys(taken).length === 0, is: below.length > 0 ? { extra: taken } : taken };
  });
  return {
    is: Object.fromEntries(sections.filter(({ isEmpty }) => !isEmpty).map(({ section, is }) => [section, is])),
    remarks: refused.map(({ section, says }) => leftOut(['kubernetes', section], says)),
  };
};

const flagged = ['apiServer', 'controllerManager', 'scheduler', 'etcd'] as const;

/** Tools have flags as texts, numbers, booleans or lists of those. */
const plainFlags = (flags: Settings): Settings =>
  Object.fromEntries(
    Object.entries(flags).flatMap(([name, value]) => {
      const isPlain = Array.isArray(value)
        ? value.every((item) => typeof item !== 'object')
        : typeof value !== 'object';
      return isPlain ? [[name, value]] : [];
    }),
  );
