import { X509Certificate } from 'node:crypto';
import { type Host, mutation, query } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, sh } from '../hosts/shell.js';
import { kubectl } from '../kubernetes/kubectl.js';
import { parseCertificate } from '../pki/certificate.js';
import type { KubeObject } from '../resources/resource.js';
import type { AddonOptions } from './addon-options.js';
import { applying } from './applying.js';
import type { CheckResult } from './check-result.js';
import { untilProven } from './until-proven.js';

/** A Certificate by the ClusterIssuer `lan` is issued, and signed by the authority of the keyring. */
export const verifyCertManager = async (
  host: Host,
  { namespace, ingressCa, patience, limits }: Pick<AddonOptions, 'namespace' | 'ingressCa' | 'patience' | 'limits'>,
): Promise<readonly CheckResult[]> => {
  if (ingressCa === undefined) return [];
  const { script, payload } = applying([wanted], namespace);
  const bounded = { timeout: 60_000, ...limits };
  const begun = Date.now();
  const made = await host.mutate(mutation(script, [payload]), bounded);
  if (made.code !== 0) {
    const why = lastLines(made.stderr, 1)[0] ?? 'the API server does not answer';
    return [{ proof, name: isIssued, ok: false, detail: why, ms: Date.now() - begun }];
  }
  const ask = raw(sh`${raw(kubectl)} --request-timeout=15s -n ${namespace} get`);
  return untilProven({ patience, pause: 2_000 }, async (elapsed) => {
    const { stdout } = await host.query(
      query(
        asRecords(
          sh`${ask} certificates.cert-manager.io ${name} -o json 2>&1 || :`,
          // The certificate alone: the key beside it is not asked for.
          sh`${ask} secret ${name} -o jsonpath='{.data.tls\\.crt}' 2>/dev/null || :`,
        ),
      ),
      bounded,
    );
    const [certificate = '', issued = ''] = splitRecords(stdout).map((text) => text.trim());
    return [issuedResult(certificate, Buffer.from(issued, 'base64').toString(), ingressCa, elapsed())];
  });
};

const proof = 'certificates';
const isIssued = 'a Certificate by the ClusterIssuer lan is issued';
const name = 'kbs-verify';

const wanted: KubeObject = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name },
  spec: {
    secretName: name,
    dnsNames: ['kbs-verify.internal'],
    issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'lan' },
  },
};

/**
 * The result of what was asked. `said`: the Certificate as JSON, or why there is none; `issued`: the PEM in its Secret, empty
 * where there is none; `ca`: the PEM of the authority.
 */
export const issuedResult = (said: string, issued: string, ca: string, ms: number): CheckResult => {
  const certificate = parseCertificate(issued);
  if (certificate === undefined) return { proof, name: isIssued, ok: false, detail: conditionIn(said), ms };
  const ok = certificate.verify(new X509Certificate(ca).publicKey);
  const detail = ok ? `until ${certificate.validTo}` : 'another authority than that of kbs addons ca has signed it';
  return { proof, name: isIssued, ok, detail, ms };
};

/** https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateCondition */
const conditionIn = (said: string): string => {
  try {
    const { status } = JSON.parse(said) as {
      readonly status?: { readonly conditions?: readonly { readonly type: string; readonly message?: string }[] };
    };
    return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? 'cert-manager has not looked at it yet';
  } catch {
    return lastLines(said, 1)[0] ?? 'the API server does not answer';
  }
};
