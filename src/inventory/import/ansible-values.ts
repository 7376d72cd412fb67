import { parse, YAMLError } from 'yaml';
import { Failure } from '../../failure.js';
import type { Var, Vars } from './ansible.js';
import { vaulted } from './yaml-input.js';

/**
 * The values of a host's variables, each in the type that is asked for; undefined where there is none, or none that
 * Ansible alone could tell: what it would decrypt or compute.
 */
export interface Values {
  text(...names: readonly string[]): string | undefined;
  number(...names: readonly string[]): number | undefined;
  isTrue(name: string): boolean;
  /** Whether one of them is written, even where its value cannot be told. */
  has(...names: readonly string[]): boolean;
  list(name: string): readonly string[] | undefined;
  map(name: string): Readonly<Record<string, unknown>> | undefined;
  /** The maps of a list. */
  maps(name: string): readonly Readonly<Record<string, unknown>>[];
}

/** `wrong` gets a failure for each value of another type. */
export const valuesOf = (vars: Vars, wrong: (failure: Failure) => void): Values => {
  const refuse = (name: string, noun: string): undefined => {
    wrong(new Failure('inventory', `${name} is not ${noun}`, { where: { position: vars[name]?.at ?? '' } }));
  };
  const first = (names: readonly string[]): readonly [name: string, value: unknown] | undefined =>
    names.map((name) => [name, plain(vars, name)] as const).find(([, value]) => !isEmpty(value));
  const structured = (name: string): unknown => {
    const value = plain(vars, name);
    return typeof value === 'string' && /^\s*[[{]/.test(value) ? flowValue(value) : value;
  };
  return {
    text(...names) {
      const [name = '', value] = first(names) ?? [];
      if (value === undefined) return undefined;
      return typeof value === 'object' ? refuse(name, 'a text') : String(value);
    },
    number(...names) {
      const [name = '', value] = first(names) ?? [];
      if (value === undefined) return undefined;
      return /^\d+$/.test(String(value)) ? Number(value) : refuse(name, 'a whole number');
    },
    isTrue: (name) => /^(true|yes|on|1)$/i.test(String(plain(vars, name) ?? '')),
    has: (...names) => names.some((name) => !isEmpty(vars[name]?.value)),
    list(name) {
      const value = structured(name);
      if (isEmpty(value)) return undefined;
      if (Array.isArray(value)) {
        return value.every((item) => typeof item !== 'object') ? value.map(String) : refuse(name, 'a list of texts');
      }
      return typeof value === 'object'
        ? refuse(name, 'a list')
        : String(value)
            .split(',')
            .map((item) => item.trim());
    },
    map(name) {
      const value = structured(name);
      if (isEmpty(value)) return undefined;
      return isMap(value) ? value : refuse(name, 'a map');
    },
    maps(name) {
      const value = structured(name);
      if (isEmpty(value)) return [];
      return Array.isArray(value) && value.every(isMap) ? value : (refuse(name, 'a list of maps') ?? []);
    },
  };
};

/** Whether a variable holds what Ansible computes, and another variable does not answer for it. */
export const isTemplate = (vars: Vars, name: string): boolean =>
  isTemplateText(vars[name]?.value) && plain(vars, name) === undefined;

/** Whether a variable, or a part of it, is encrypted. */
export const isEncrypted = ({ value }: Var): boolean => {
  if (value === vaulted) return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((inner) => isEncrypted({ value: inner, at: '' }))
  );
};

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): value is null | undefined | '' =>
  value === null || value === undefined || value === '';

const isTemplateText = (value: unknown): value is string => typeof value === 'string' && /\{\{|\{%/.test(value);

/** A variable's value; of `{{ other }}` that of the other. */
const plain = (vars: Vars, name: string, after: readonly string[] = []): unknown => {
  const variable = vars[name];
  if (variable === undefined || isEncrypted(variable)) return undefined;
  if (!isTemplateText(variable.value)) return variable.value;
  const [, other] = /^\s*\{\{\s*(\w+)\s*\}\}\s*$/.exec(variable.value) ?? [];
  return other === undefined || after.includes(other) ? undefined : plain(vars, other, [...after, name]);
};

/** A list or map that an INI inventory writes on one line, as Python or JSON has it; YAML reads both. */
const flowValue = (text: string): unknown => {
  try {
    return parse(text, { logLevel: 'error' });
  } catch (error) {
    if (!(error instanceof YAMLError)) throw error;
    return text;
  }
};
