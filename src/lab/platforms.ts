import { container } from './container.js';
import { guest } from './guest/guest.js';
import type { Platform } from './platform.js';
import type { HostSpec } from './spec.js';

/** The platform of a host: a guest with a kernel of its own, or a container on this machine's. */
export const platformOf = (host: HostSpec): Platform => (host.guest === undefined ? container : guest);
