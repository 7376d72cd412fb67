import { z } from 'zod';
import { anyText, registryName, webAddress } from '../formats.js';
import { keys, list, map, text } from './fields.js';

const registry = keys(
  'Registry',
  {
    mirrors: list(
      text(webAddress, 'An address; what the mirror keeps the registry under follows, as https://mirror.lan/hub.'),
      '[https://mirror.lan]',
      'Mirrors, asked in this order before the registry itself.',
    ).optional(),
    plainHttp: z
      .boolean({ error: () => 'is not true or false' })
      .describe('Whether the registry itself speaks HTTP without TLS. Default: `false`.')
      .optional(),
    ca: text(
      anyText('a path', './lan-ca.crt'),
      "A file of PEM certificates: the authorities of the registry and its mirrors, in place of the host's. Starts at the folder of this file.",
    ).optional(),
    auth: keys(
      'Registry credentials',
      {
        username: text(anyText('a user name', 'puller'), 'The user that containerd logs in as.'),
        passwordFile: text(
          anyText('a path', './registry-password'),
          'A file whose first line is the password, on your machine; starts at the folder of this file.',
        ).optional(),
        passwordVariable: text(
          anyText('the name of a variable', 'REGISTRY_PASSWORD'),
          'The variable of the environment of kbs that holds the password, in place of a file.',
        ).optional(),
      },
      'How containerd logs in at this registry, also where it is a mirror of another one.',
    ).optional(),
  },
  'One registry.',
);

/** How containerd reaches registries. */
export const registries = map(
  'registries by name',
  registryName,
  registry,
  'How containerd reaches registries, by what stands before the first slash of an image; `*`: all that are not named.',
);

/** The proxy for what containerd pulls. */
export const pullProxy = keys(
  'Proxy',
  {
    url: text(webAddress, 'The address of the HTTP proxy, for images from `http` and `https` registries.'),
    exclude: list(
      text(
        anyText('a name, a domain, an address or a CIDR', 'registry.lan'),
        'A name, a domain, an address or a CIDR.',
      ),
      '[registry.lan, .corp.example, 10.0.0.0/8]',
      "What is reached without it, besides the cluster's own networks and names.",
    ).optional(),
  },
  'The proxy through which containerd pulls images, and hosts download with `artifacts: { fetch: hosts }`. Pods and kbs itself do not use it.',
);
