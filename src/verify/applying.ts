import { raw, type Script, sh } from '../hosts/shell.js';
import { kubectl } from '../kubernetes/kubectl.js';
import type { KubeObject } from '../resources/resource.js';

/** Shell that applies objects, and the payload that it reads them from. */
export interface Applying {
  readonly script: Script;
  readonly payload: { readonly bytes: Buffer };
}

/** Applies objects of a proof; `namespace` is that of those which name none. */
export const applying = (objects: readonly KubeObject[], namespace?: string): Applying => {
  const bytes = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const scope = namespace === undefined ? sh`` : sh` -n ${namespace}`;
  return {
    script: sh`head -c ${bytes.length} | ${raw(kubectl)}${raw(scope)} apply --server-side --field-manager=kbs -f - >/dev/null`,
    payload: { bytes },
  };
};
