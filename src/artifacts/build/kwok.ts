import { goProgram } from '../recipes.js';

const version = '0.8.0';
const module = { version, folder: `kwok-${version}`, from: `sigs.k8s.io/kwok v${version}` } as const;

/** Plays kubelets: for the hollow nodes of a lab, never part of a bundle. */
export const kwokProgram = goProgram({ ...module, name: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' });

/** Prints the configuration with which kwok moves Nodes and Pods as upstream does by default. */
export const kwokStagesProgram = goProgram({ ...module, name: 'kwok-stages', package: '.' });
