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
  isFalse(name: string): boolean;
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
    isFalse: (name) => /^(false|no|off|0)$/i.test(String(plain(vars, name) ?? '')),
    isTrue: (name) => /^(true|yes|on|1)$/i.test(String(plain(vars, name) ?? '')),
    has: (...names) => names.some((name) => !isEmpty(vars[name]?.value)),
    list(name) {
      const value = plain(vars, name);
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
      const value = plain(vars, name);
      if (isEmpty(value)) return undefined;
      return isMap(value) ? value : refuse(name, 'a map');
    },
    maps(name) {
      const value = plain(vars, name);
      if (isEmpty(value)) return [];
      return Array.isArray(value) && value.every(isMap) ? value : (refuse(name, 'a list of maps') ?? []);
    },
  };
};

/** Whether a variable, or a part of it, is what only Ansible computes. */
export const isTemplate = (vars: Vars, name: string): boolean => {
  const unresolved = (value: unknown): boolean => {
    if (isTemplateText(value)) return resolved(vars, value, [name]) === undefined;
    return typeof value === 'object' && value !== null && Object.values(value).some(unresolved);
  };
  return unresolved(valueIn(vars, name));
};

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

const plain = (vars: Vars, name: string): unknown => resolved(vars, valueIn(vars, name), [name]);

/** A value, in which `{{ other }}` is the value of that variable. What is encrypted or computed is left out. */
const resolved = (vars: Vars, value: unknown, after: readonly string[]): unknown => {
  if (value === vaulted) return undefined;
  if (isTemplateText(value)) {
    const [, other] = /^\s*\{\{\s*(\w+)\s*\}\}\s*$/.exec(value) ?? [];
    const isKnown = other !== undefined && !after.includes(other);
    return isKnown ? resolved(vars, valueIn(vars, other), [...after, other]) : undefined;
  }
  if (Array.isArray(value)) {
    return value.map((item) => resolved(vars, item, after)).filter((item) => item !== undefined);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, resolved(vars, inner, after)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
};

/** A list or map that an INI inventory writes on one line, as Python or JSON has it, is one: YAML reads both. */
const valueIn = (vars: Vars, name: string): unknown => {
  const value = vars[name]?.value;
  if (typeof value !== 'string' || !/^\s*(\[|\{(?![{%]))/.test(value)) return value;
  try {
    return parse(value, { logLevel: 'error' });
  } catch (error) {
    if (!(error instanceof YAMLError)) throw error;
    return value;
  }
};
