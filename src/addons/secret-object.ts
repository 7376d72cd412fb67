import type { Values } from '../inventory/cluster.js';
import { Secret } from '../secret.js';

/** A Secret of an add-on's release. A text of `data` that is secret is still so in base64. */
export const secretObject = (
  { name, namespace, type }: { readonly name: string; readonly namespace: string; readonly type: string },
  data: Readonly<Record<string, string | Secret>>,
): Values => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type,
  data: Object.fromEntries(
    Object.entries(data).map(([key, text]) => [
      key,
      text instanceof Secret ? new Secret(base64(text.reveal())) : base64(text),
    ]),
  ),
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
