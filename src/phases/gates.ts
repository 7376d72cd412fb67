import { raw, sh } from '../hosts/shell.js';
import { kubectl, readyz } from '../kubernetes/kubectl.js';
import type { Gate } from './phase.js';

/** The API server behind the administrator's kubeconfig is ready. */
export const apiAnswers: Gate = {
  name: 'API answers',
  test: sh`${raw(readyz(kubectl))} 2>&1`,
  timeoutSeconds: 120,
};
