import type { ErrorObject } from 'ajv';
import { plannedAddons } from '../../addons/index.js';
import { mergeValues } from '../../addons/merge-values.js';
import { type Artifacts, objectsChart, referenceOf } from '../../artifacts/artifacts.js';
import { schemaIn } from '../../artifacts/charts/chart.js';
import { Failures } from '../../failure.js';
import type { Cluster, Values } from '../../inventory/cluster.js';
import { didYouMean } from '../../inventory/did-you-mean.js';
import { type InventoryError, inventoryError, inventoryKeyError } from '../../inventory/inventory-error.js';
import { placeholderCredentials } from '../../pki/placeholder.js';
import { revealed } from '../../resources/release-preview.js';
import { isRecord } from '../../secret.js';
import { inventoryFailure } from '../inventory-failure.js';

/** A cluster, and the inventory that it is from. */
interface LoadedText {
  readonly cluster: Cluster;
  /** Absolute path. */
  readonly inventory: string;
  readonly text: string;
}

/**
 * Throws Failures where values of the inventory do not fit the `values.schema.json` of their charts: helm would refuse them
 * too, but only once it installs. A schema that this cannot read, those of sub-charts, and whatever is not the owner's are
 * left to helm.
 */
export const checkValues = async ({ cluster, inventory, text }: LoadedText, artifacts: Artifacts): Promise<void> => {
  const planned = plannedAddons(cluster, (image) => referenceOf(artifacts, image), placeholderCredentials(cluster));
  const checked = planned.filter(({ chart }) => chart !== objectsChart);
  const found = await Promise.all(
    checked.map(async ({ addon, chart, values }) => {
      const packed = artifacts.chart(chart);
      const errors = await errorsIn(packed.tgz, addon.values, values);
      return errors.map((error) =>
        inventoryFailure({ ...error, path: ['addons', addon.name, 'values', ...error.path] }, text, inventory, {
          next: `correct it, as the schema of the chart ${packed.name} ${packed.version} has it; kbs addons values ${addon.name} prints all values`,
        }),
      );
    }),
  );
  const failures = found.flat();
  if (failures.length > 0) throw new Failures(failures);
};

const errorsIn = async (tgz: Uint8Array, own: Values, values: Values): Promise<readonly InventoryError[]> => {
  const found = await schemaIn(tgz).catch(() => undefined);
  if (found === undefined || !isRecord(found.schema)) return [];
  const defaults = isRecord(found.values) ? found.values : {};
  const all = withoutNulls(mergeValues(defaults, revealed(values) as Values));
  return mistakesIn(await validated(found.schema, all)).flatMap((error) => errorAt(error, own));
};

/** To helm, null takes a value away. */
const withoutNulls = (values: Values): Values =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === null ? [] : [[key, isRecord(value) ? withoutNulls(value) : value]],
    ),
  );

/** The errors of values; none where the schema cannot be read. */
const validated = async ({ $schema, $id: _, ...schema }: Values, values: Values): Promise<readonly ErrorObject[]> => {
  const { Ajv } = String($schema).includes('2020-12')
    ? { Ajv: (await import('ajv/dist/2020.js')).Ajv2020 }
    : await import('ajv');
  try {
    const validate = new Ajv({
      allErrors: true,
      strict: false,
      validateFormats: false,
      verbose: true,
      logger: false,
    }).compile(schema);
    validate(values);
    return validate.errors ?? [];
  } catch {
    return [];
  }
};

/** One error per mistake: of several forms that a value may have, not what is wrong with each; and one of each value. */
const mistakesIn = (errors: readonly ErrorObject[]): readonly ErrorObject[] => {
  const forms = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  const isOfForm = ({ schemaPath }: ErrorObject) => forms.some((form) => schemaPath.startsWith(`${form.schemaPath}/`));
  const named = new Map<string, ErrorObject>();
  for (const error of errors) {
    const place = JSON.stringify([error.instancePath, error.params.additionalProperty, error.params.missingProperty]);
    if (error.keyword !== 'if' && !isOfForm(error) && !named.has(place)) named.set(place, error);
  }
  return [...named.values()];
};

/** None where the value is not the owner's. */
const errorAt = (error: ErrorObject, own: Values): readonly InventoryError[] => {
  const path = pathOf(error.instancePath);
  const { additionalProperty, missingProperty } = error.params as Readonly<Record<string, string | undefined>>;
  if (additionalProperty !== undefined) {
    const place = [...path, additionalProperty];
    const known: unknown = error.parentSchema?.properties;
    const meant = didYouMean(additionalProperty, isRecord(known) ? Object.keys(known) : []);
    return has(own, place)
      ? [inventoryKeyError(place, `is not known to the chart${meant === undefined ? '' : `; did you mean ${meant}?`}`)]
      : [];
  }
  if (missingProperty !== undefined) {
    return path.length === 0 || has(own, path)
      ? [inventoryError([...path, missingProperty], 'is missing: the chart needs it')]
      : [];
  }
  return has(own, path) ? [inventoryError(path, `is not what the chart takes: it ${saysOf(error)}`)] : [];
};

const saysOf = ({ keyword, message = '', params }: ErrorObject): string => {
  if (keyword === 'anyOf' || keyword === 'oneOf') return 'must have one of several forms, and has none of them';
  const allowed: unknown = params.allowedValues;
  return Array.isArray(allowed) ? `must be one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}` : message;
};

/** The steps of a JSON pointer. */
const pathOf = (pointer: string): readonly (string | number)[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));

const has = (value: unknown, [step, ...rest]: readonly (string | number)[]): boolean => {
  if (step === undefined) return true;
  if (Array.isArray(value)) return Number(step) in value && has(value[Number(step)], rest);
  return isRecord(value) && step in value && has(value[step], rest);
};
