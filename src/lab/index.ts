/** A whole inventory on one machine: hosts, segments, routers. */
export { type Delay, labDelay } from './delay.js';
export { labDown } from './down.js';
export { type HollowNodes, hollowLog, startHollowNodes, stopHollowNodes } from './hollow.js';
export type { Lab, LabHost } from './lab.js';
export { type LabOverlay, labState, readLabOverlay } from './overlay.js';
export { labHeal, labPartition } from './partition.js';
export type { Partition } from './partitions.js';
export { labCut, labFreeze, labKill, labReboot, labReconnect, labStart, labThaw } from './power.js';
export { labRouterRoutes, type RouterRoute } from './router.js';
export { labHosts } from './select-hosts.js';
export { labSsh } from './ssh.js';
export { type LabHostStatus, type LabStatus, labStatus } from './status.js';
export { type LabUpOptions, labUp } from './up.js';
